import { type Bucket, fits, FULL, remaining, resetMs, retryAfterMs, tatAfter } from './gcra';
import type { ClientPolicy, LimitPolicy } from './limit-policy';
import { RecentMap } from './recent-map';
import type { BucketName, BucketState, Decision, LimitedClient, RateLimiter } from './rate-limiter';

/** Clients remembered at once; one takes about 300 bytes, and 8 more for each method with a limit of its own. */
const MAX_CLIENTS = 100_000;

export interface MemoryLimiter extends RateLimiter {
  take(client: LimitedClient, methods: readonly string[]): readonly Decision[];
  /** Clients remembered now. */
  readonly size: number;
}

/**
 * Limits within this process. A client is remembered until its buckets are full again; when `maxClients` are, the least
 * recently seen one is forgotten (it starts again with full buckets).
 *
 * @param now milliseconds of any clock; one that is set back stands still meanwhile
 */
export function createMemoryLimiter(
  policy: LimitPolicy,
  now: () => number,
  maxClients: number = MAX_CLIENTS,
): MemoryLimiter {
  const clients = new RecentMap<ClientBuckets>();
  // Time that only grows, from zero: a clock set back must not lock anybody out, and a fraction of a millisecond
  // survives next to small numbers, not next to the years since 1970.
  let elapsed = 0;
  let last = now();
  return {
    get size() {
      return clients.size;
    },
    take(client, methods) {
      const time = now();
      elapsed += Math.max(0, time - last);
      last = time;
      const at = elapsed;
      const known = clients.use(client.key);
      forgetRested(clients, at, known);
      const buckets = known ?? newClient(policy.forAddress(client.address));
      if (known === undefined) {
        if (clients.size >= maxClients) clients.deleteOldest();
        clients.add(client.key, buckets);
      }
      return methods.map((method) => takeOne(buckets, method, at));
    },
  };
}

interface ClientBuckets {
  readonly policy: ClientPolicy;
  total: number;
  /** By slot; made when a method with a limit of its own is first called. */
  methods: number[] | undefined;
  /** When every bucket is full again. */
  restedAt: number;
}

function newClient(policy: ClientPolicy): ClientBuckets {
  return { policy, total: FULL, methods: undefined, restedAt: FULL };
}

/** Looks at the two least recently seen: more than a call can add, so the rested never pile up. */
function forgetRested(clients: RecentMap<ClientBuckets>, at: number, current: ClientBuckets | undefined): void {
  for (let looked = 0; looked < 2; looked++) {
    const oldest = clients.oldest();
    if (oldest === undefined || oldest === current || oldest.restedAt > at) return;
    clients.deleteOldest();
  }
}

const UNLIMITED: Decision = { allowed: true };

/** Looks at both buckets before it charges either: a refused call costs nothing anywhere. */
function takeOne(client: ClientBuckets, method: string, at: number): Decision {
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

  client.total = totalAfter;
  if (rule !== undefined && own !== undefined) {
    client.methods ??= new Array<number>(methods.size).fill(FULL);
    client.methods[rule.slot] = ownAfter;
  }
  client.restedAt = Math.max(client.restedAt, totalAfter, ownAfter);
  return allowed(total, totalAfter, own, ownAfter, at);
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
