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

/** A connection, and what keys are named by while it is the one that is asked. */
interface Link {
  readonly connection: RedisConnection;
  readonly prefix: string;
}

/** How long a connection that is left has for the questions under way on it. */
const LEAVE_MS = 1000;

/**
 * The Redis of this process, if any, and whoever uses it. It survives reloads that do not change it; one that is configured
 * in its place is asked as soon as it is there, or known not to be, or the one before is lost, so that nobody has to do
 * without meanwhile.
 */
export class SharedRedis {
  private config: RedisConfig | undefined;
  private ca: string | undefined;
  private current: Link | undefined;
  private next: Link | undefined;
  private readonly leaving = new Set<RedisConnection>();
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
    this.config = config;
    this.ca = ca;
    this.next?.connection.close();
    this.next = config && this.dial(config, ca);
    if (config === undefined || !this.usable) this.change();
    return true;
  }

  get configured(): boolean {
    return this.current !== undefined;
  }

  get usable(): boolean {
    return this.current?.connection.usable === true;
  }

  /** Why it is not usable, where one is configured and something is known. */
  get problem(): RedisFailure | undefined {
    return this.current?.connection.problem;
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
    for (const link of [this.current, this.next]) link?.connection.close();
    for (const connection of this.leaving) connection.close();
    for (const stage of this.stages.values()) stage.close();
  }

  private dial(config: RedisConfig, ca: string | undefined): Link {
    const link: Link = {
      prefix: config.keyPrefix,
      connection: new RedisConnection(config, ca, {
        onUp: (answerMs) => {
          if (this.isAsked(link)) this.back(answerMs);
        },
        onDown: (failure) => this.lost(link, failure),
      }),
    };
    return link;
  }

  /** One that another takes the place of is not dialled again: by now its password may be wrong. */
  private lost(link: Link, failure: RedisFailure): void {
    if (this.leaving.delete(link.connection)) link.connection.close();
    else if (link === this.current && this.next !== undefined) this.change();
    else if (this.isAsked(link)) this.events.onDown(failure);
  }

  /** Whether it is the one that is asked, from now on also where it was awaited. */
  private isAsked(link: Link): boolean {
    if (this.next === link) this.change();
    return this.current === link;
  }

  private change(): void {
    const left = this.current?.connection;
    this.current = this.next;
    this.next = undefined;
    if (left === undefined) return;
    this.leaving.add(left);
    const leave = (): void => {
      this.leaving.delete(left);
      left.close();
    };
    if (left.usable) setTimeout(leave, LEAVE_MS).unref();
    else leave();
  }

  private stage(purpose: RedisPurpose): Stage {
    const known = this.stages.get(purpose);
    if (known !== undefined) return known;
    const stage = new Stage({
      purpose,
      connection: () => this.current?.connection,
      prefix: () => this.current?.prefix ?? '',
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
