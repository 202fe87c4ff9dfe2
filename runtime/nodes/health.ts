import type { BlockRef } from '../rpc/block-ref';
import { laggingReason } from './lagging-reason';
import type { NodeHealth } from './node';

export interface HealthRules {
  /** Good probes in a row that bring a node back; at least 1. The first after start needs no second. */
  readonly rise: number;
  /** Failures in a row that take a node out, live traffic counted too; at least 1. */
  readonly fall: number;
  /** Blocks a node may be behind the head. */
  readonly maxLagBlocks: number;
  /** A newest block older than this (ms) makes a node lag while others have newer ones. */
  readonly maxBlockAgeMs: number;
  /** Latency (ms) from which on a node lags. */
  readonly maxLatencyMs: number;
}

/** What the judgement needs besides the node's own record. */
export interface HealthFacts {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly chainHead: BlockRef | undefined;
  readonly blockTimeMs: number;
  /** Milliseconds between two probes. */
  readonly tickMs: number;
  readonly latencyMs: number | undefined;
  /** Blocks by which the node claims to be ahead and nobody confirms; 0 when it does not. */
  readonly suspiciousBy: number;
}

export type HealthEvent =
  /** A probe answered, on the right chain. `syncing` is undefined where it was not asked. */
  | { readonly kind: 'block'; readonly block: BlockRef; readonly syncing: boolean | undefined }
  | { readonly kind: 'failure'; readonly code: string; readonly live: boolean }
  /** The node told of a block unasked: news of its head, and none of whether it answers. */
  | { readonly kind: 'told'; readonly block: BlockRef }
  /** A client's request was answered. */
  | { readonly kind: 'answer' }
  | { readonly kind: 'wrong-chain'; readonly expected: number; readonly actual: number }
  /** Nothing of the node's own happened; the chain moved. */
  | { readonly kind: 'review' };

/** What is remembered of a node between events. */
export interface HealthRecord {
  readonly health: NodeHealth;
  /** When `health.state` last changed, and when it last changed between up and lagging. */
  readonly since: number;
  readonly turnedAt: number;
  readonly head: BlockRef | undefined;
  readonly syncing: boolean;
  /** Since when the chain has a newer block than this node. */
  readonly behindSince: number | undefined;
  /** In a row; live failures alone never make a node down, the circuit is theirs. */
  readonly failures: number;
  readonly probeFailed: boolean;
  readonly successes: number;
  /** It was up, or on a wrong chain: one good probe does not make it up. */
  readonly mustRise: boolean;
}

/** How long a node keeps being up or lagging once it changed between the two. */
const CALM_MS = 10_000;

export function newHealthRecord(now: number): HealthRecord {
  return {
    health: { state: 'down', reason: 'not probed yet', wrongChain: false },
    since: now,
    turnedAt: Number.NEGATIVE_INFINITY,
    head: undefined,
    syncing: false,
    behindSince: undefined,
    failures: 0,
    probeFailed: false,
    successes: 0,
    mustRise: false,
  };
}

/** The record after an event; the same object when nothing changed. */
export function nextHealth(
  record: HealthRecord,
  event: HealthEvent,
  facts: HealthFacts,
  rules: HealthRules,
): HealthRecord {
  switch (event.kind) {
    case 'block':
      return afterBlock(record, event, facts, rules);
    case 'failure':
      return afterFailure(record, event, facts, rules);
    case 'told':
      return record.health.state === 'down'
        ? record
        : judged({ ...record, head: event.block }, event.block, true, facts, rules);
    case 'answer':
      if (record.failures === 0 || record.health.state === 'down') return record;
      return { ...record, failures: 0, probeFailed: false };
    case 'wrong-chain': {
      const reason = `is on chain ${event.actual}, not on chain ${event.expected}`;
      const health: NodeHealth = { state: 'down', reason, wrongChain: true };
      return moved({ ...record, successes: 0, mustRise: true, head: undefined }, health, facts.now);
    }
    case 'review':
      return record.health.state === 'down' || record.head === undefined
        ? record
        : judged(record, record.head, false, facts, rules);
  }
}

function afterBlock(
  record: HealthRecord,
  { block, syncing }: { block: BlockRef; syncing: boolean | undefined },
  facts: HealthFacts,
  rules: HealthRules,
): HealthRecord {
  const successes = record.successes + 1;
  const seen: HealthRecord = {
    ...record,
    head: block,
    syncing: syncing ?? record.syncing,
    failures: 0,
    probeFailed: false,
    successes,
  };
  if (record.health.state !== 'down' || !record.mustRise || successes >= rules.rise) {
    return judged(seen, block, true, facts, rules);
  }
  const reason = `answers again, ${successes} of ${rules.rise} probes`;
  return moved(seen, { state: 'down', reason, wrongChain: false }, facts.now);
}

function afterFailure(
  record: HealthRecord,
  { code, live }: { code: string; live: boolean },
  facts: HealthFacts,
  rules: HealthRules,
): HealthRecord {
  const failures = record.failures + 1;
  const failed: HealthRecord = { ...record, failures, probeFailed: record.probeFailed || !live, successes: 0 };
  if (record.health.state === 'down') {
    // What is known of its chain stays true until a probe tells otherwise.
    if (record.health.wrongChain || live) return failed;
  } else if (failures < rules.fall || !failed.probeFailed) return failed;
  const reason = failures === 1 ? `failed: ${code}` : `failed ${failures} times in a row, the last time: ${code}`;
  return moved(failed, { state: 'down', reason, wrongChain: false }, facts.now);
}

/**
 * Up or lagging, and calm about it. A node that is up is not found lagging by a block of before the chain moved: when
 * several blocks come at once, it may have them all and not have been asked.
 *
 * @param fresh whether the node showed this block just now
 */
function judged(
  record: HealthRecord,
  head: BlockRef,
  fresh: boolean,
  facts: HealthFacts,
  rules: HealthRules,
): HealthRecord {
  const behind = Math.max(0, (facts.chainHead?.number ?? 0) - head.number);
  const behindSince = behind === 0 ? undefined : (record.behindSince ?? facts.now);
  const next = { ...record, behindSince };
  const found = laggingReason({ head, behind, behindSince, syncing: record.syncing }, facts, rules);
  const { state } = record.health;
  const mayTurn = state === 'down' || facts.now - record.turnedAt >= CALM_MS;
  if (found !== undefined && (state === 'lagging' || (fresh && mayTurn) || found.urgent)) {
    return moved(next, { state: 'lagging', head, behind, reason: found.reason }, facts.now);
  }
  if (found === undefined && state === 'lagging' && !mayTurn) {
    return moved(next, { state: 'lagging', head, behind, reason: 'caught up a moment ago' }, facts.now);
  }
  return moved({ ...next, mustRise: true }, { state: 'up', head }, facts.now);
}

function moved(record: HealthRecord, health: NodeHealth, now: number): HealthRecord {
  const from = record.health.state;
  if (from === health.state) return { ...record, health };
  const turned = from !== 'down' && health.state !== 'down';
  return { ...record, health, since: now, turnedAt: turned ? now : record.turnedAt };
}
