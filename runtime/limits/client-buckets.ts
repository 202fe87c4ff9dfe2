import { FULL, tatLimitMs } from './gcra';
import type { ClientPolicy, LimitPolicy } from './limit-policy';
import type { LimitedClient } from './decision';
import { RecentMap } from './recent-map';

/** Clients remembered at once; one takes about 300 bytes, and 8 more for each method with a limit of its own. */
const MAX_CLIENTS = 100_000;

/** What is known of one client. Its times (TATs, see gcra.ts) are on the clock of its `KnownClients`. */
export interface ClientBuckets {
  /** What applies to it, and the limits that is from. */
  policy: ClientPolicy;
  source: LimitPolicy;
  total: number;
  /** By slot; made when a method with a limit of its own is first called. */
  methods: number[] | undefined;
  /** Of methods that had a limit before a reload and have none now, by name. */
  others: ReadonlyMap<string, number> | undefined;
  /** When every bucket is full again. */
  restedAt: number;
  /** The newest question to Redis whose answer is in here; questions count from 1. */
  answered: number;
}

/**
 * The clients of this process and their buckets. A client is remembered until its buckets are full again; when
 * `maxClients` are, the least recently seen one is forgotten (it starts again with full buckets). Other limits find
 * each client's buckets as they are: nobody starts anew, and nobody waits for longer than an empty bucket takes.
 *
 * @param now milliseconds of any clock; one that is set back stands still meanwhile
 */
export class KnownClients {
  /**
   * Time that only grows, from zero: a clock set back must not lock anybody out, and a fraction of a millisecond
   * survives next to small numbers, not next to the years since 1970.
   */
  private elapsed = 0;
  private last: number;
  private readonly clients = new RecentMap<ClientBuckets>();
  private policy: LimitPolicy | undefined;

  constructor(
    private readonly now: () => number,
    private readonly maxClients: number = MAX_CLIENTS,
  ) {
    this.last = now();
  }

  /** The limits from now on, if any. */
  apply(policy: LimitPolicy | undefined): void {
    this.policy = policy;
  }

  /** Whether anything is limited. */
  get areLimited(): boolean {
    return this.policy !== undefined;
  }

  /** Clients remembered now. */
  get size(): number {
    return this.clients.size;
  }

  /** The time of the newest `of`. */
  get at(): number {
    return this.elapsed;
  }

  /** The client as it is now; undefined where nothing is limited. */
  of({ key, address }: LimitedClient): ClientBuckets | undefined {
    const { policy, clients } = this;
    if (policy === undefined) return undefined;
    const time = this.now();
    this.elapsed += Math.max(0, time - this.last);
    this.last = time;
    const known = clients.use(key);
    forgetRested(clients, this.elapsed, known);
    if (known !== undefined) {
      if (known.source !== policy) carryOver(known, policy, address, this.elapsed);
      return known;
    }
    if (clients.size >= this.maxClients) clients.deleteOldest();
    const added = newClient(policy.forAddress(address), policy);
    clients.add(key, added);
    return added;
  }
}

function newClient(policy: ClientPolicy, source: LimitPolicy): ClientBuckets {
  return { policy, source, total: FULL, methods: undefined, others: undefined, restedAt: FULL, answered: 0 };
}

/** Looks at the two least recently seen: more than a call can add, so the rested never pile up. */
function forgetRested(clients: RecentMap<ClientBuckets>, at: number, current: ClientBuckets | undefined): void {
  for (let looked = 0; looked < 2; looked++) {
    const oldest = clients.oldest();
    if (oldest === undefined || oldest === current || oldest.restedAt > at) return;
    clients.deleteOldest();
  }
}

/** Puts the client under other limits. A TAT the old ones allowed may be further ahead than the new ones can reach. */
function carryOver(client: ClientBuckets, source: LimitPolicy, address: string, at: number): void {
  const others = new Map(client.others);
  for (const [method, { slot }] of client.policy.methods) {
    const tat = client.methods?.[slot] ?? FULL;
    if (tat > at) others.set(method, tat);
  }
  const policy = source.forAddress(address);
  const tats = new Array<number>(policy.methods.size).fill(FULL);
  for (const [method, { slot, bucket }] of policy.methods) {
    const tat = others.get(method);
    if (bucket === undefined || tat === undefined) continue;
    tats[slot] = Math.min(tat, at + tatLimitMs(bucket));
    others.delete(method);
  }
  client.source = source;
  client.policy = policy;
  if (policy.total) client.total = Math.min(client.total, at + tatLimitMs(policy.total));
  client.methods = tats;
  client.others = others.size === 0 ? undefined : others;
}
