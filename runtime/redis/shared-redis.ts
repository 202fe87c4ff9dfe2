import { isDeepStrictEqual } from 'node:util';
import type { RedisConfig } from '../config/schema';
import { readCertificates } from './certificates';
import { type ConnectionEvents, RedisConnection } from './connection';
import type { RedisFailure, RedisFailureCode } from './failure';
import { type RedisPurpose, Stage, type StageEvents, type StageRedis } from './stage';

export type { RedisPurpose, StageRedis };

export interface SharedRedisEvents extends Pick<ConnectionEvents, 'onDown'>, StageEvents {
  /** It answers, again or for the first time. */
  readonly onUp: () => void;
}

/** The Redis of this process, if any, and whoever uses it. It survives reloads that do not change it. */
export class SharedRedis {
  private config: RedisConfig | undefined;
  private ca: string | undefined;
  private connection: RedisConnection | undefined;
  private readonly stages = new Map<RedisPurpose, Stage>();

  constructor(private readonly events: SharedRedisEvents) {}

  /**
   * What is configured from now on. The connection stays where nothing changed, in the file of certificate authorities
   * neither.
   *
   * @returns whether anything changed
   * @throws ConfigError where that file cannot be used; nothing has changed then
   */
  apply(config: RedisConfig | undefined): boolean {
    const ca = config?.caFile === undefined ? undefined : readCertificates(config.caFile);
    if (isDeepStrictEqual([config, ca], [this.config, this.ca])) return false;
    const { events } = this;
    const next =
      config &&
      new RedisConnection(config, ca, {
        onUp: (answerMs) => this.back(answerMs),
        onDown: events.onDown,
      });
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

  /** What it does not do although it answers, by what it was asked for. */
  get troubles(): Readonly<Partial<Record<RedisPurpose, RedisFailureCode>>> {
    const troubles: Partial<Record<RedisPurpose, RedisFailureCode>> = {};
    for (const [purpose, { trouble }] of this.stages) if (trouble !== undefined) troubles[purpose] = trouble;
    return troubles;
  }

  /** Calls back whenever a time is over in which it could not be asked for this. */
  onBack(purpose: RedisPurpose, listener: () => void): void {
    this.stage(purpose).onBack(listener);
  }

  /** No more calls of {@link onBack}. */
  offBack(purpose: RedisPurpose, listener: () => void): void {
    this.stage(purpose).offBack(listener);
  }

  /** One for all who use it for the same. */
  for(purpose: RedisPurpose): StageRedis {
    return this.stage(purpose);
  }

  close(): void {
    this.connection?.close();
    for (const stage of this.stages.values()) stage.close();
  }

  private stage(purpose: RedisPurpose): Stage {
    const known = this.stages.get(purpose);
    if (known !== undefined) return known;
    const stage = new Stage({
      purpose,
      connection: () => this.connection,
      prefix: () => this.config?.keyPrefix ?? '',
      events: this.events,
    });
    this.stages.set(purpose, stage);
    return stage;
  }

  private back(answerMs: number): void {
    this.events.onUp();
    for (const stage of this.stages.values()) stage.back(answerMs);
  }
}
