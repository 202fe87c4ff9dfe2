import type { ClientBuckets } from './client-buckets';
import { type Bucket, fits, FULL, remaining, resetMs, retryAfterMs, tatAfter } from './gcra';
import type { BucketName, BucketState, Decision } from './decision';

/** What is charged and told: the buckets of `ClientBuckets`, without where they are kept. */
export type Buckets = Pick<ClientBuckets, 'policy' | 'total' | 'methods' | 'restedAt'>;

export const UNLIMITED: Decision = { allowed: true };

/** Decides the items of a message in order, each as if it came alone. */
export function takeAll(client: Buckets, methods: readonly string[], at: number): Decision[] {
  return methods.map((method) => takeOne(client, method, at));
}

/** Looks at both buckets before it charges either: a refused call costs nothing anywhere. */
export function takeOne(client: Buckets, method: string, at: number): Decision {
  const { total, methods } = client.policy;
  const rule = methods.get(method);
  const own = rule?.bucket;
  const ownTat = rule === undefined ? FULL : (client.methods?.[rule.slot] ?? FULL);
  const totalAfter = total === undefined ? FULL : tatAfter(total, client.total, rule?.cost ?? 1, at);
  const ownAfter = own === undefined ? FULL : tatAfter(own, ownTat, 1, at);

  const totalWait = waitMs(total, totalAfter, at);
  const ownWait = waitMs(own, ownAfter, at);
  if (own !== undefined && ownWait > totalWait) return refused('method', own, ownTat, ownWait, at);
  if (total !== undefined && totalWait > 0) return refused('total', total, client.total, totalWait, at);

  if (total !== undefined) client.total = totalAfter;
  if (rule !== undefined && own !== undefined) {
    client.methods ??= new Array<number>(methods.size).fill(FULL);
    client.methods[rule.slot] = ownAfter;
  }
  client.restedAt = Math.max(client.restedAt, totalAfter, ownAfter);
  return allowed(total, totalAfter, own, ownAfter, at);
}

/**
 * Whether any of these calls takes something and would be allowed. Each is looked at alone: before the first that fits,
 * nothing is taken, so it would fit in its turn as well.
 */
export function canTakeAny(client: Buckets, methods: readonly string[], at: number): boolean {
  for (const method of methods) {
    const { total } = client.policy;
    const rule = client.policy.methods.get(method);
    const own = rule?.bucket;
    const cost = total === undefined ? 0 : (rule?.cost ?? 1);
    if (cost === 0 && own === undefined) continue;
    const ownTat = rule === undefined ? FULL : (client.methods?.[rule.slot] ?? FULL);
    if (total !== undefined && !fits(total, tatAfter(total, client.total, cost, at), at)) continue;
    if (own === undefined || fits(own, tatAfter(own, ownTat, 1, at), at)) return true;
  }
  return false;
}

/** Refuses every call that would take something, whatever is left, and takes nothing. @param waitMs 1 or more */
export function refuseAll(client: Buckets, methods: readonly string[], waitMs: number, at: number): Decision[] {
  return methods.map((method): Decision => {
    const { total } = client.policy;
    const rule = client.policy.methods.get(method);
    if (total !== undefined && rule?.cost !== 0) return refused('total', total, client.total, waitMs, at);
    const own = rule?.bucket;
    const ownTat = rule === undefined ? FULL : (client.methods?.[rule.slot] ?? FULL);
    return own === undefined ? takeOne(client, method, at) : refused('method', own, ownTat, waitMs, at);
  });
}

function waitMs(bucket: Bucket | undefined, after: number, at: number): number {
  return bucket === undefined || fits(bucket, after, at) ? 0 : retryAfterMs(bucket, after, at);
}

function refused(name: BucketName, bucket: Bucket, tat: number, wait: number, at: number): Decision {
  return { allowed: false, retryAfterMs: wait, ...toState(name, bucket, tat, at) };
}

function allowed(
  total: Bucket | undefined,
  totalTat: number,
  own: Bucket | undefined,
  ownTat: number,
  at: number,
): Decision {
  const ofTotal = total && toState('total', total, totalTat, at);
  const ofMethod = own && toState('method', own, ownTat, at);
  if (ofTotal && (!ofMethod || ofTotal.remaining <= ofMethod.remaining)) return { allowed: true, ...ofTotal };
  return ofMethod ? { allowed: true, ...ofMethod } : UNLIMITED;
}

function toState(name: BucketName, bucket: Bucket, tat: number, at: number): BucketState {
  return {
    bucket: name,
    limit: bucket.perMinute,
    burst: bucket.burst,
    remaining: remaining(bucket, tat, at),
    resetMs: resetMs(tat, at),
  };
}
