import { probe, type ProbeResult } from '../nodes/probe';
import type { NodeClient } from '../upstream/node-client';
import { askNode } from './ask-node';

export interface TryOutOptions {
  /** By the nodes' names. */
  readonly clients: ReadonlyMap<string, NodeClient>;
  readonly chainId: number;
  /** The longest it may take, in milliseconds. */
  readonly mostMs: number;
  /** Milliseconds of any clock that does not step backwards. */
  readonly now: () => number;
  /** A question goes to the node. */
  readonly onAsk: (node: string) => void;
}

/**
 * Probes nodes before they are used.
 *
 * @returns what was found until one of them did well, or all were probed
 */
export function tryOut(options: TryOutOptions): Promise<ReadonlyMap<string, ProbeResult>> {
  const { clients, mostMs } = options;
  // One each: all questions under way listen, and Node warns of many listeners at one signal.
  const probes = Array.from(clients, ([node, client]) => ({ node, client, over: new AbortController() }));
  const found = new Map<string, ProbeResult>();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      // What is still on its way is not missed: they are probed again as soon as they are used.
      for (const { over } of probes) over.abort();
      resolve(new Map(found));
    };
    const timer = setTimeout(end, mostMs);
    if (clients.size === 0) end();
    for (const { node, client, over } of probes) {
      void probeOne(node, client, options, over.signal).then((result) => {
        found.set(node, result);
        if (result.kind === 'block' || found.size === clients.size) end();
      });
    }
  });
}

function probeOne(
  node: string,
  client: NodeClient,
  { chainId, mostMs, now, onAsk }: TryOutOptions,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const ask = (method: string, params: readonly unknown[]): Promise<unknown> => {
    onAsk(node);
    return askNode(client, { node, method, params, timeoutMs: mostMs, signal });
  };
  return probe({ ask, whole: true, expect: () => chainId, now });
}
