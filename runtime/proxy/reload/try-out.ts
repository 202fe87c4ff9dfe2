import type { NodeView } from '../../nodes/node';
import { probe, type ProbeResult } from '../../nodes/probe';
import type { NodeClient } from '../../upstream/node-client';
import { sleep } from '../../util/loop';
import { askNode } from '../chain/ask-node';

export interface TryOutOptions {
  /** By the nodes' names. */
  readonly clients: ReadonlyMap<string, NodeClient>;
  /** How many of them have to do well, where nothing else is waited for. */
  readonly enough: 'one' | 'all';
  readonly chainId: number;
  /** The longest it may take, in milliseconds. */
  readonly mostMs: number;
  /** Milliseconds of any clock that does not step backwards. */
  readonly now: () => number;
  /** A question goes to the node. */
  readonly onAsk: (node: string) => void;
}

/** Which of the new nodes are waited for before those who go do. */
export function enoughOfTheNew(
  nodes: readonly NodeView[],
  leaving: ReadonlySet<string>,
): TryOutOptions['enough'] | 'none' {
  if (leaving.size === 0) return 'none';
  if (nodes.some(({ name, health }) => health.state !== 'down' && leaving.has(name))) return 'all';
  // Nobody is missed who is down; but where all are, the first of the new is the end of that.
  return nodes.some(({ name, health }) => health.state === 'up' && !leaving.has(name)) ? 'none' : 'one';
}

/** Milliseconds after which a node that failed is asked again: HAProxy may be about to listen for it. */
const AGAIN_MS = 50;

/**
 * Probes nodes before they are used, those that fail again and again.
 *
 * @returns what was found last until enough of them did well, or no more can, or the time was over
 */
export function tryOut(options: TryOutOptions): Promise<ReadonlyMap<string, ProbeResult>> {
  const { clients, enough, mostMs } = options;
  // One each: all questions under way listen, and Node warns of many listeners at one signal.
  const probes = Array.from(clients, ([node, client]) => ({ node, client, over: new AbortController() }));
  const found = new Map<string, ProbeResult>();
  return new Promise((resolve) => {
    let open = clients.size;
    const end = (): void => {
      clearTimeout(timer);
      // What is still on its way is not missed: they are probed again as soon as they are used.
      for (const { over } of probes) over.abort();
      resolve(new Map(found));
    };
    const timer = setTimeout(end, mostMs);
    if (open === 0) end();
    for (const { node, client, over } of probes) {
      const onResult = (result: ProbeResult): void => void found.set(node, result);
      void probeUntilTold(node, client, options, onResult, over.signal).then((result) => {
        open--;
        if (open === 0 || (enough === 'one' && result === 'block')) end();
      });
    }
  });
}

/** @returns once it did well or is on another chain, which time does not change, or when the signal is aborted */
async function probeUntilTold(
  node: string,
  client: NodeClient,
  { chainId, mostMs, now, onAsk }: TryOutOptions,
  onResult: (result: ProbeResult) => void,
  signal: AbortSignal,
): Promise<ProbeResult['kind']> {
  const ask = (method: string, params: readonly unknown[]): Promise<unknown> => {
    onAsk(node);
    return askNode(client, { node, method, params, timeoutMs: mostMs, signal });
  };
  for (;;) {
    const result = await probe({ ask, whole: true, expect: () => chainId, now });
    if (!signal.aborted) onResult(result);
    if (result.kind !== 'failure' || signal.aborted) return result.kind;
    await sleep(AGAIN_MS, signal);
  }
}
