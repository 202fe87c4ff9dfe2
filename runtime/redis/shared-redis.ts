import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { RedisConfig } from '../config/schema';
import { RedisConnection } from './connection';
import { RedisFailure, type RedisFailureCode, toRedisFailure } from './failure';
import type { Script } from './script';

/** What it is used for; the label of its metrics. */
export type RedisPurpose = 'limits' | 'cache' | 'filters' | 'head';

export interface SharedRedisEvents {
  readonly onUp: () => void;
  /** Told once for each reason. */
  readonly onDown: (failure: RedisFailure) => void;
  /** A question was answered, or refused by Redis itself. */
  readonly onAnswer: (purpose: RedisPurpose, ms: number) => void;
  /** A question had to do without an answer. Not told while it is known to be down: that would be every question. */
  readonly onFailure: (purpose: RedisPurpose, code: RedisFailureCode) => void;
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

/** The Redis of this process, if any, and whoever uses it. It survives reloads that do not change it. */
export class SharedRedis {
  private config: RedisConfig | undefined;
  private ca: Buffer | undefined;
  private connection: RedisConnection | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly events: SharedRedisEvents) {}

  /**
   * What is configured from now on. The connection stays where nothing changed, in the file of certificate authorities
   * neither.
   *
   * @returns whether anything changed
   * @throws Error where that file cannot be read; nothing has changed then
   */
  apply(config: RedisConfig | undefined): boolean {
    const ca = config?.caFile === undefined ? undefined : readFileSync(config.caFile);
    if (isDeepStrictEqual([config, ca], [this.config, this.ca])) return false;
    const { events } = this;
    const next = config && new RedisConnection(config, ca, { onUp: () => this.back(), onDown: events.onDown });
    this.connection?.close();
    this.connection = next;
    this.config = config;
    this.ca = ca;
    return true;
  }

  get configured(): boolean {
    return this.connection !== undefined;
  }

  get usable(): boolean {
    return this.connection?.usable === true;
  }

  /** Why it is not usable, where one is configured and something is known. */
  get problem(): RedisFailure | undefined {
    return this.connection?.problem;
  }

  /** Calls back whenever it answers again. */
  onBack(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** No more calls of {@link onBack}. */
  offBack(listener: () => void): void {
    this.listeners.delete(listener);
  }

  for(purpose: RedisPurpose): StageRedis {
    const usable = (): boolean => this.usable;
    const configured = (): boolean => this.configured;
    return {
      get usable() {
        return usable();
      },
      get configured() {
        return configured();
      },
      key: (...parts) => `${this.config?.keyPrefix ?? ''}${parts.join(':')}`,
      command: (deadlineMs, name, ...args) =>
        this.ask(purpose, (connection) => connection.command(deadlineMs, name, args)),
      run: (deadlineMs, script, keys, args) =>
        this.ask(purpose, (connection) => connection.run(deadlineMs, script, keys, args)),
    };
  }

  close(): void {
    this.connection?.close();
  }

  private async ask(purpose: RedisPurpose, send: (connection: RedisConnection) => Promise<unknown>): Promise<unknown> {
    const { connection, events } = this;
    if (connection === undefined) throw new RedisFailure('NONE');
    const startedAt = performance.now();
    try {
      const answer = await send(connection);
      events.onAnswer(purpose, performance.now() - startedAt);
      return answer;
    } catch (error) {
      const failure = toRedisFailure(error);
      if (failure.code !== 'DOWN') events.onFailure(purpose, failure.code);
      throw failure;
    }
  }

  private back(): void {
    this.events.onUp();
    for (const listener of this.listeners) listener();
  }
}
