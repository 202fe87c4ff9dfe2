import { refusalOf } from '../haproxy/answers';
import type { HaproxySocket } from '../haproxy/socket';
import type { HaproxySocketError } from '../haproxy/socket-error';
import type { HaproxyView, ServerState } from './server-state';
import { nameOf, type Target } from './targets';

export interface Desired extends Pick<Target, 'backend' | 'server'> {
  readonly weight: number;
}

export interface Change {
  readonly name: string;
  /** What HAProxy reported before; undefined where it has no such server. */
  readonly from: number | undefined;
  readonly to: number;
  /** Why HAProxy did not take it. */
  readonly refusal?: HaproxySocketError;
}

/**
 * Brings HAProxy's weights to what they should be: compares with what it reports, writes the differences, and reads an
 * answer to each. There is no memory of what was written before, so that a restart of HAProxy, or somebody's own
 * `set weight`, is set right in the next round.
 *
 * It remembers one thing: backends whose algorithm takes only 0 % and 100 % of the configured weight (`balance source`
 * and the like, unless `hash-type consistent`). That is not in `show servers state`, and `show stat` has the algorithm
 * without its hash type; so a refusal of HAProxy's tells.
 */
export class Reconciler {
  private readonly staticBackends = new Set<string>();

  constructor(private readonly socket: Pick<HaproxySocket, 'ask'>) {}

  /** After a restart the file may be another. */
  forget(): void {
    this.staticBackends.clear();
  }

  /** @throws HaproxySocketError when the conversation failed; some changes may have been made */
  async apply(desired: readonly Desired[], view: HaproxyView, signal?: AbortSignal): Promise<Change[]> {
    const changes = await this.write(this.differences(desired, view), signal);
    const isFirstRefusal = ({ backend }: Difference, { refusal }: Change): boolean =>
      refusal?.code === 'STATIC_WEIGHTS' && !this.staticBackends.has(backend);
    const again = changes.filter(([difference, change]) => isFirstRefusal(difference, change));
    if (again.length === 0) return changes.map(([, change]) => change);
    for (const [{ backend }] of again) this.staticBackends.add(backend);
    const others = changes.filter((one) => !again.includes(one));
    const retried = await this.write(
      this.differences(
        again.map(([difference]) => difference),
        view,
      ),
      signal,
    );
    return [...others, ...retried].map(([, change]) => change);
  }

  /** What would be written. */
  differences(desired: readonly Desired[], view: HaproxyView): Difference[] {
    const states = new Map(view.servers.map((state) => [nameOf(state), state]));
    return desired.flatMap((one) => {
      const state = states.get(nameOf(one));
      const target = this.target(one, state);
      // HAProxy says itself that it has no such server: a refusal is better than our guess.
      return state?.weight === target.weight ? [] : [{ ...one, ...target, from: state?.weight }];
    });
  }

  private target(one: Desired, state: ServerState | undefined): { weight: number; argument: string } {
    if (!this.staticBackends.has(one.backend)) return { weight: one.weight, argument: String(one.weight) };
    return one.weight === 0
      ? { weight: 0, argument: '0%' }
      : { weight: state?.initialWeight ?? one.weight, argument: '100%' };
  }

  private async write(
    differences: readonly Difference[],
    signal: AbortSignal | undefined,
  ): Promise<(readonly [Difference, Change])[]> {
    if (differences.length === 0) return [];
    const commands = differences.map((one) => `set weight ${nameOf(one)} ${one.argument}`);
    const answers = await this.socket.ask(commands, signal);
    return differences.map((one, index) => {
      const refusal = refusalOf(commands[index] ?? '', answers[index] ?? '');
      return [one, { name: nameOf(one), from: one.from, to: one.weight, ...(refusal && { refusal }) }];
    });
  }
}

export interface Difference extends Desired {
  readonly from: number | undefined;
  /** What `set weight` is given. */
  readonly argument: string;
}
