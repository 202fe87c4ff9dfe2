import type { RedisConnection } from './connection';
import { RedisFailure, type RedisFailureCode, toRedisFailure } from './failure';
import type { Script } from './script';

/** What it is used for; the label of its metrics. */
export type RedisPurpose = 'limits' | 'cache' | 'filters' | 'head';

export interface StageEvents {
  /** A question was answered. */
  readonly onAnswer: (purpose: RedisPurpose, ms: number) => void;
  /** A question had to do without an answer. Not told where nothing was sent: that would be every question. */
  readonly onFailure: (purpose: RedisPurpose, code: RedisFailureCode) => void;
  /** Redis is there and does not do what this stage asks; told once for each reason, and when it does again. */
  readonly onTrouble: (purpose: RedisPurpose, failure: RedisFailure) => void;
  readonly onTroubleOver: (purpose: RedisPurpose) => void;
}

/** Redis as one stage sees it. Whatever it is asked may fail at any time; what is done then is the stage's business. */
export interface StageRedis {
  /** Whether it is worth asking now; false also where none is configured. */
  readonly usable: boolean;
  /** Whether there is one at all. */
  readonly configured: boolean;
  /** The name of a key, under our prefix. */
  key(...parts: readonly (string | number)[]): string;
  /** @throws RedisFailure within about `deadlineMs` */
  command(deadlineMs: number, name: string, ...args: readonly (string | number)[]): Promise<unknown>;
  /** @throws RedisFailure within about `deadlineMs` */
  run(
    deadlineMs: number,
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown>;
}

/** What a stage does not send questions for after one that was late: twice as long each time. */
const PAUSE_MS = 100;
const MAX_PAUSE_MS = 2000;

export interface StageParts {
  readonly purpose: RedisPurpose;
  readonly connection: () => RedisConnection | undefined;
  readonly prefix: () => string;
  readonly events: StageEvents;
}

/**
 * A stage's questions, with a breaker of their own: a Redis that is too slow for one stage's deadline costs that stage one
 * deadline and then, now and then, one question's; others, who have more time, go on.
 */
export class Stage implements StageRedis {
  private misses = 0;
  private missedAt = Number.NEGATIVE_INFINITY;
  private pausedUntil = 0;
  /** The one question that is let through after a pause is under way. */
  private trying = false;
  private current: RedisFailureCode | undefined;

  constructor(private readonly parts: StageParts) {}

  get usable(): boolean {
    return this.parts.connection()?.usable === true && !this.isPaused;
  }

  get configured(): boolean {
    return this.parts.connection() !== undefined;
  }

  /** Why Redis, though it is there, does not do what is asked. */
  get trouble(): RedisFailureCode | undefined {
    return this.current;
  }

  key(...parts: readonly (string | number)[]): string {
    return `${this.parts.prefix()}${parts.join(':')}`;
  }

  command(deadlineMs: number, name: string, ...args: readonly (string | number)[]): Promise<unknown> {
    return this.ask((connection) => connection.command(deadlineMs, name, args));
  }

  run(
    deadlineMs: number,
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return this.ask((connection) => connection.run(deadlineMs, script, keys, args));
  }

  /** Redis is back, or another one: what was known of it does not count. */
  reset(): void {
    this.misses = 0;
    this.trying = false;
  }

  private get isPaused(): boolean {
    return this.misses > 0 && (this.trying || performance.now() < this.pausedUntil);
  }

  private async ask(send: (connection: RedisConnection) => Promise<unknown>): Promise<unknown> {
    const { connection, events, purpose } = this.parts;
    const to = connection();
    if (to === undefined) throw new RedisFailure('NONE');
    if (!to.usable) throw new RedisFailure('DOWN');
    if (this.isPaused) throw new RedisFailure('PAUSED');
    const startedAt = performance.now();
    this.trying = this.misses > 0;
    try {
      const answer = await send(to);
      events.onAnswer(purpose, performance.now() - startedAt);
      this.answered();
      return answer;
    } catch (error) {
      const failure = toRedisFailure(error);
      this.failed(failure, startedAt, to.usable);
      throw failure;
    }
  }

  private answered(): void {
    this.reset();
    if (this.current === undefined) return;
    this.current = undefined;
    this.parts.events.onTroubleOver(this.parts.purpose);
  }

  private failed(failure: RedisFailure, startedAt: number, isThere: boolean): void {
    const { events, purpose } = this.parts;
    events.onFailure(purpose, failure.code);
    this.trying = false;
    // Those that were under way with the first one that was late tell nothing new.
    if (failure.code === 'TIMEOUT' && startedAt >= this.missedAt) {
      this.missedAt = performance.now();
      this.pausedUntil = this.missedAt + Math.min(MAX_PAUSE_MS, PAUSE_MS * 2 ** this.misses++);
    }
    if (!isThere || this.current === failure.code) return;
    this.current = failure.code;
    events.onTrouble(purpose, failure);
  }
}
