import type { BlockRef } from '../rpc/block-ref';
import type { HealthFacts, HealthRules } from './health';

/** How far a node has come. */
export interface NodeProgress {
  readonly head: BlockRef;
  /** Blocks behind the chain's head; at least 0. */
  readonly behind: number;
  /** Since when (ms) it is behind; undefined while it is not. */
  readonly behindSince: number | undefined;
  /** What the node says of itself (`eth_syncing`). */
  readonly syncing: boolean;
}

export interface LaggingReason {
  readonly reason: string;
  /** What the node shows cannot be believed: it is taken out without waiting for calm. */
  readonly urgent: boolean;
}

/** The first rule that says so names why a node that answers should not serve the head; undefined if it may. */
export function laggingReason(node: NodeProgress, facts: HealthFacts, rules: HealthRules): LaggingReason | undefined {
  for (const rule of RULES) {
    const reason = rule.says(node, facts, rules);
    if (reason !== undefined) return { reason, urgent: rule.urgent };
  }
  return undefined;
}

/** Blocks a node may be behind: what is configured, or what two probes may miss on a fast chain. */
export function lagLimit(maxLagBlocks: number, tickMs: number, blockTimeMs: number): number {
  return Math.max(maxLagBlocks, Math.ceil((2 * tickMs) / blockTimeMs));
}

interface Rule {
  readonly urgent: boolean;
  readonly says: (node: NodeProgress, facts: HealthFacts, rules: HealthRules) => string | undefined;
}

const RULES: readonly Rule[] = [
  {
    urgent: true,
    says: ({ head }, { suspiciousBy }) =>
      suspiciousBy > 0 ? `claims block ${head.number}, ${suspiciousBy} ahead of the other nodes` : undefined,
  },
  {
    urgent: false,
    says: ({ behind }, { tickMs, blockTimeMs }, { maxLagBlocks }) =>
      behind > lagLimit(maxLagBlocks, tickMs, blockTimeMs) ? `${behind} blocks behind` : undefined,
  },
  {
    urgent: false,
    says: ({ behind, syncing }) => (syncing && behind > 0 ? `syncing, ${behind} blocks behind` : undefined),
  },
  {
    urgent: false,
    says: ({ head, behindSince }, { now, tickMs }, { maxBlockAgeMs }) => {
      const ageMs = now - head.timestamp * 1000;
      // The first block after an idle hour finds every node with an old one for a moment.
      if (ageMs <= maxBlockAgeMs || behindSince === undefined || now - behindSince <= 2 * tickMs) return undefined;
      return `newest block is ${Math.round(ageMs / 1000)} s old, others have newer ones`;
    },
  },
  {
    urgent: false,
    says: (_, { latencyMs }, { maxLatencyMs }) =>
      latencyMs !== undefined && latencyMs >= maxLatencyMs ? `answers in ${Math.round(latencyMs)} ms` : undefined,
  },
];
