import type { LimitsConfig } from '../config/schema';
import { RedisFailure } from '../redis/failure';
import type { StageRedis } from '../redis/shared-redis';
import type { ClientBuckets, KnownClients } from './client-buckets';
import { FULL } from './gcra';
import type { Decision, LimitedClient } from './decision';
import { type Buckets, canTakeAny, refuseAll, takeAll, UNLIMITED } from './take';
import { TAKE, toBuckets, toQuestion } from './take-script';

export type WithoutRedis = LimitsConfig['onRedisFailure'];

type RedisRules = Pick<LimitsConfig, 'redisTimeoutMs' | 'onRedisFailure'>;

/** What a client is told to wait where nobody can tell, in milliseconds: Redis is back within seconds, mostly. */
const CLOSED_WAIT_MS = 1000;

/**
 * Limits that all processes share: Redis decides, in one step. What it tells is remembered here, as of the moment it was
 * asked, so never more than is true. Whoever has nothing left by that is refused without asking, and without
 * Redis it is where this process goes on from.
 */
export class RedisLimiter {
  private asked = 0;

  /** @param onWithout told how many calls were decided without Redis, and how */
  constructor(
    private readonly clients: KnownClients,
    private readonly redis: StageRedis,
    private rules: RedisRules,
    private readonly onWithout: (how: WithoutRedis, calls: number) => void,
  ) {}

  apply(rules: RedisRules): void {
    this.rules = rules;
  }

  /** Whether there is a Redis to ask, be it well or not. */
  get isShared(): boolean {
    return this.redis.configured;
  }

  /** @returns one decision per method, in order; undefined where nothing is limited */
  take(
    client: LimitedClient,
    methods: readonly string[],
  ): readonly Decision[] | Promise<readonly Decision[]> | undefined {
    const known = this.clients.of(client);
    if (known === undefined) return undefined;
    if (!this.redis.usable) return this.without(known, methods);
    return canTakeAny(known, methods, this.clients.at)
      ? this.ask(client, known, methods)
      : takeAll(known, methods, this.clients.at);
  }

  private async ask(
    client: LimitedClient,
    known: ClientBuckets,
    methods: readonly string[],
  ): Promise<readonly Decision[]> {
    const { policy } = known;
    const question = toQuestion(policy, methods);
    const askedAt = this.clients.at;
    const order = ++this.asked;
    const { redisTimeoutMs } = this.rules;
    try {
      const key = this.redis.key('limit', client.key);
      const told = toBuckets(policy, question, await this.redis.run(redisTimeoutMs, TAKE, [key], question.args));
      if (told === undefined) return this.withoutAnswer(client, methods);
      const decisions = takeAll(told, methods, 0);
      // Redis decides in the order it is asked in, which its answers may not come in.
      if (order > known.answered && policy === known.policy) remember(known, told, question.slots, askedAt);
      known.answered = Math.max(known.answered, order);
      return decisions;
    } catch (error) {
      if (error instanceof RedisFailure) return this.withoutAnswer(client, methods);
      throw error;
    }
  }

  /** Much may have changed since it was asked. */
  private withoutAnswer(client: LimitedClient, methods: readonly string[]): readonly Decision[] {
    const known = this.clients.of(client);
    return known === undefined ? methods.map(() => UNLIMITED) : this.without(known, methods);
  }

  private without(known: ClientBuckets, methods: readonly string[]): readonly Decision[] {
    const { onRedisFailure } = this.rules;
    this.onWithout(onRedisFailure, methods.length);
    switch (onRedisFailure) {
      case 'local':
        return takeAll(known, methods, this.clients.at);
      case 'open':
        return methods.map(() => UNLIMITED);
      case 'closed':
        return refuseAll(known, methods, CLOSED_WAIT_MS, this.clients.at);
    }
  }
}

/** What Redis tells replaces what is known of the same buckets, also where it is less: it may have started anew. */
function remember(known: ClientBuckets, told: Buckets, slots: readonly number[], askedAt: number): void {
  if (told.policy.total !== undefined) known.total = askedAt + told.total;
  known.methods ??= new Array<number>(told.policy.methods.size).fill(FULL);
  for (const slot of slots) {
    const tat = askedAt + (told.methods?.[slot] ?? FULL);
    known.methods[slot] = tat;
    known.restedAt = Math.max(known.restedAt, tat);
  }
  known.restedAt = Math.max(known.restedAt, known.total);
}
