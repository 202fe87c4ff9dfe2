import type { NodeHealth, NodeView } from '../../runtime/nodes/node';
import type { BlockRef } from '../../runtime/rpc/block-ref';

/** A block of a made-up chain without forks. */
export function blockAt(number: number): BlockRef {
  return { number, hash: `0x${number}`, parentHash: `0x${number - 1}`, timestamp: number * 12 };
}

/** A healthy, idle node at block 1000, but for what is said. */
export function nodeView(name: string, traits: Partial<NodeView> = {}): NodeView {
  const head = 'head' in traits ? traits.head : blockAt(1000);
  return {
    name,
    weight: 1,
    tier: 0,
    maxInFlight: 0,
    archive: false,
    health: head === undefined ? down('no answer yet') : { state: 'up', head },
    healthSince: 0,
    head,
    inFlight: 0,
    latencyMs: undefined,
    ejected: undefined,
    restingUntil: 0,
    oldestState: 0,
    ...traits,
  };
}

export function down(reason: string): NodeHealth {
  return { state: 'down', reason, wrongChain: false };
}

export const WRONG_CHAIN: NodeHealth = { state: 'down', reason: 'chain id 5, not 1', wrongChain: true };

/** A node that is behind by some blocks. */
export function laggingNode(name: string, number: number, traits: Partial<NodeView> = {}): NodeView {
  const head = blockAt(number);
  const health: NodeHealth = { state: 'lagging', head, behind: 1000 - number, reason: 'too far behind' };
  return nodeView(name, { head, health, ...traits });
}

/** Numbers in [0, 1), the same ones for the same seed: a linear congruential generator is enough for shares. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
