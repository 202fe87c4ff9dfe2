import type { Logger } from '../../telemetry/logger';
import { runLoop } from '../../util/loop';

/** What is looked at of a chain. */
export interface WatchedChain {
  readonly name: string;
  /** Whether a node of it is up. */
  readonly isServed: boolean;
  /** Undefined until one is known. */
  readonly head: number | undefined;
  /** Milliseconds, learned. */
  readonly blockTimeMs: number;
}

/** How often chains are looked at, in milliseconds. */
const LOOK_MS = 5000;
/** What lasts is told again after so many milliseconds: who counts lines sees that it lasts. */
const REPEAT_MS = 60_000;
/** A head stands still when so many blocks did not come, and so many milliseconds passed; chains do pause. */
const MISSING_BLOCKS = 10;
const STILL_MS = 120_000;

/** Tells of chains that are in trouble as a whole, until the signal is aborted. */
export function watchChains(
  signal: AbortSignal,
  watch: ChainWatch,
  chains: () => readonly WatchedChain[],
): Promise<void> {
  return runLoop(signal, () => {
    watch.look(chains());
    return Promise.resolve(LOOK_MS);
  });
}

/** One line when a chain comes into trouble, one a minute while it lasts, and one when it is over. */
export class ChainWatch {
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly log: Logger,
    /** Milliseconds that never step backwards. */
    private readonly now: () => number,
  ) {}

  /** @param chains all there are: what is known of others is forgotten */
  look(chains: readonly WatchedChain[]): void {
    const names = new Set(chains.map(({ name }) => name));
    for (const name of this.known.keys()) if (!names.has(name)) this.known.delete(name);
    for (const chain of chains) this.lookAt(chain);
  }

  private lookAt(chain: WatchedChain): void {
    const now = this.now();
    const before = this.known.get(chain.name);
    const known = before ?? { head: chain.head, headSince: now, troubles: new Map<Trouble, Told>() };
    this.known.set(chain.name, known);
    if (known.head !== chain.head) Object.assign(known, { head: chain.head, headSince: now });
    for (const trouble of TROUBLES) this.tell(trouble, trouble.isSo(chain, now - known.headSince), chain, known);
  }

  private tell(trouble: Trouble, isSo: boolean, { name, head }: WatchedChain, { troubles }: Known): void {
    const now = this.now();
    const told = troubles.get(trouble);
    if (!isSo) {
      if (told !== undefined) this.log.info({ chain: name, head, afterMs: now - told.since }, trouble.over);
      troubles.delete(trouble);
      return;
    }
    if (told !== undefined && now - told.at < REPEAT_MS) return;
    const since = told?.since ?? now;
    troubles.set(trouble, { since, at: now });
    this.log.error({ chain: name, head, forMs: now - since }, trouble.message);
  }
}

interface Known {
  readonly head: number | undefined;
  readonly headSince: number;
  readonly troubles: Map<Trouble, Told>;
}

interface Told {
  readonly since: number;
  readonly at: number;
}

interface Trouble {
  readonly message: string;
  readonly over: string;
  readonly isSo: (chain: WatchedChain, headAgeMs: number) => boolean;
}

const TROUBLES: readonly Trouble[] = [
  {
    message: 'no healthy node',
    over: 'a node is healthy again',
    isSo: ({ isServed }) => !isServed,
  },
  {
    message: 'the head stands still',
    over: 'the head moves again',
    isSo: ({ head, blockTimeMs }, ageMs) =>
      head !== undefined && ageMs >= Math.max(STILL_MS, MISSING_BLOCKS * blockTimeMs),
  },
];
