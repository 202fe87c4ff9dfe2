import { Breaker } from './breaker';
import type { RedisConnection } from './connection';
import { RedisFailure, type RedisFailureCode, toRedisFailure } from './failure';
import type { Script } from './script';
import { Troubles } from './troubles';

/** What it is used for; the label of its metrics. */
export type RedisPurpose = 'limits' | 'cache' | 'filters' | 'head';

export interface StageEvents {
  /** A question was answered. */
  readonly onAnswer: (purpose: RedisPurpose, ms: number) => void;
  /** A question had to do without an answer. Not told where nothing was sent: that would be every question. */
  readonly onFailure: (purpose: RedisPurpose, code: RedisFailureCode) => void;
  /** Redis is there and does not do what this stage asks; told once for each reason, and when it has done again for a while. */
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

export interface StageParts {
  readonly purpose: RedisPurpose;
  readonly connection: () => RedisConnection | undefined;
  readonly prefix: () => string;
  readonly events: StageEvents;
}

/**
 * A stage's questions, with a breaker of their own: a Redis that is too slow for one stage's deadline costs that stage one
 * deadline and then nothing; others, who have more time, go on.
 */
export class Stage implements StageRedis {
  private readonly breaker: Breaker;
  private readonly troubles: Troubles;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly parts: StageParts) {
    const { events, purpose } = parts;
    this.breaker = new Breaker({
      probe: async (deadlineMs) => this.connection().probe(deadlineMs),
      onResume: () => this.tellBack(),
    });
    this.troubles = new Troubles({
      now: () => performance.now(),
      onTrouble: (failure) => events.onTrouble(purpose, failure),
      onOver: () => events.onTroubleOver(purpose),
    });
  }

  get usable(): boolean {
    return this.parts.connection()?.usable === true && !this.breaker.isPausing;
  }

  get configured(): boolean {
    return this.parts.connection() !== undefined;
  }

  /** Why Redis, though it is there, does not do what is asked. */
  get trouble(): RedisFailureCode | undefined {
    return this.troubles.code;
  }

  /** Calls back whenever a time is over in which nothing could be asked. */
  onBack(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** No more calls of {@link onBack}. */
  offBack(listener: () => void): void {
    this.listeners.delete(listener);
  }

  key(...parts: readonly (string | number)[]): string {
    return `${this.parts.prefix()}${parts.join(':')}`;
  }

  command(deadlineMs: number, name: string, ...args: readonly (string | number)[]): Promise<unknown> {
    return this.ask(deadlineMs, name, (connection) => connection.command(deadlineMs, name, args));
  }

  run(
    deadlineMs: number,
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return this.ask(deadlineMs, script.sha, (connection) => connection.run(deadlineMs, script, keys, args));
  }

  /** Redis is back, or another one. @param answerMs how long it took to answer a simple question */
  back(answerMs: number): void {
    if (this.breaker.isPausing) this.breaker.back(answerMs);
    else this.tellBack();
  }

  close(): void {
    this.breaker.close();
  }

  /** @throws RedisFailure */
  private connection(): RedisConnection {
    const connection = this.parts.connection();
    if (connection === undefined) throw new RedisFailure('NONE');
    if (!connection.usable) throw new RedisFailure('DOWN');
    return connection;
  }

  /** @param kind what may fail while other questions are answered */
  private async ask(
    deadlineMs: number,
    kind: string,
    send: (connection: RedisConnection) => Promise<unknown>,
  ): Promise<unknown> {
    const { breaker, troubles } = this;
    const { events, purpose } = this.parts;
    const connection = this.connection();
    if (breaker.isPausing) throw new RedisFailure('PAUSED');
    const sentAt = performance.now();
    try {
      const answer = await send(connection);
      events.onAnswer(purpose, performance.now() - sentAt);
      breaker.inTime();
      troubles.answered(kind);
      return answer;
    } catch (error) {
      const failure = toRedisFailure(error);
      events.onFailure(purpose, failure.code);
      if (failure.code === 'TIMEOUT') breaker.late(deadlineMs, sentAt);
      if (connection.usable) troubles.failed(kind, failure);
      throw failure;
    }
  }

  private tellBack(): void {
    if (this.usable) for (const listener of this.listeners) listener();
  }
}
