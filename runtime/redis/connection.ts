import { Redis as Client } from 'ioredis';
import type { RedisConfig } from '../config/schema';
import { clientOptions } from './client-options';
import { within } from './deadline';
import { RedisFailure, type RedisFailureCode, toRedisFailure } from './failure';
import type { Script } from './script';
import { checkServer } from './server-check';

export interface ConnectionEvents {
  /** It answers, again or for the first time. */
  readonly onUp: () => void;
  /** It does not any more, or not from the start; told once for each reason. */
  readonly onDown: (failure: RedisFailure) => void;
}

/** How often one that is down is looked at, how long it may take then, and after how many misses it is dialled anew. */
const LOOK_MS = 100;
const ANSWER_MS = 500;
const MAX_MISSES = 2;

/** After these the connection itself is of no use; other refusals concern one command. */
const ENDS: ReadonlySet<RedisFailureCode> = new Set(['TIMEOUT', 'LOST', 'READONLY', 'LOADING', 'CLUSTER']);

/**
 * The one connection to Redis, with a breaker: what misses its deadline opens it, and nothing more is sent, so nobody
 * waits any more, until it answers again.
 *
 *     dial ──▶ check ──▶ up ── a deadline missed, READONLY, connection lost ──▶ down
 *      ▲         ▲                                                               │ every 100 ms
 *      │         └────────────── still connected: ask again ─────────────────────┤
 *      └───────────────────────── silent, or a replica: dial anew ───────────────┘
 */
export class RedisConnection {
  private readonly client: Client;
  private up = false;
  private closed = false;
  private failure: RedisFailure | undefined;
  private lastError: RedisFailure | undefined;
  private misses = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param ca certificate authorities (PEM) instead of the system's */
  constructor(
    config: RedisConfig,
    ca: Buffer | undefined,
    private readonly events: ConnectionEvents,
  ) {
    this.client = new Client(clientOptions(config, ca));
    this.client.on('ready', () => this.look());
    this.client.on('error', (error: unknown) => (this.lastError = toRedisFailure(error)));
    this.client.on('close', () => this.fail(this.takeLastError() ?? new RedisFailure('LOST')));
    this.client.connect().catch(() => undefined);
  }

  /** Whether it is worth asking. */
  get usable(): boolean {
    return this.up;
  }

  /** Why it is not usable; undefined while it is, or while nothing is known yet. */
  get problem(): RedisFailure | undefined {
    return this.up ? undefined : this.failure;
  }

  /** @throws RedisFailure */
  async command(deadlineMs: number, name: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.ask(deadlineMs, () => this.client.call(name, ...args));
  }

  /** Runs a script in one step; the first time, and after a restart, it is sent along. @throws RedisFailure */
  async run(
    deadlineMs: number,
    { lua, sha }: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return this.ask(deadlineMs, () =>
      this.client.evalsha(sha, keys.length, ...keys, ...args).catch((error: unknown) => {
        if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
        return this.client.eval(lua, keys.length, ...keys, ...args);
      }),
    );
  }

  close(): void {
    this.closed = true;
    this.up = false;
    clearTimeout(this.timer);
    this.client.disconnect();
  }

  private async ask(deadlineMs: number, send: () => Promise<unknown>): Promise<unknown> {
    if (!this.up) throw new RedisFailure('DOWN');
    try {
      return await within(deadlineMs, send());
    } catch (error) {
      const failure = toRedisFailure(error);
      // Of many questions that were under way the first tells.
      if (ENDS.has(failure.code) && this.usable) {
        this.fail(failure);
        if (failure.code === 'READONLY') this.dialAnew();
      }
      throw failure;
    }
  }

  private fail(failure: RedisFailure): void {
    if (this.closed) return;
    const isNews = this.up || this.failure?.code !== failure.code;
    this.up = false;
    this.failure = failure;
    if (isNews) this.events.onDown(failure);
    this.lookLater();
  }

  private lookLater(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.look();
    }, LOOK_MS);
  }

  private look(): void {
    if (this.up || this.closed || this.client.status !== 'ready') return;
    clearTimeout(this.timer);
    this.timer = undefined;
    within(ANSWER_MS, checkServer(this.client)).then(
      () => this.answered(),
      (error: unknown) => this.missed(toRedisFailure(error)),
    );
  }

  private answered(): void {
    this.misses = 0;
    if (this.up || this.closed || this.client.status !== 'ready') return;
    this.up = true;
    this.events.onUp();
  }

  private missed(failure: RedisFailure): void {
    const isSilent = failure.code === 'TIMEOUT' && ++this.misses >= MAX_MISSES;
    this.fail(failure);
    if (isSilent || failure.code === 'READONLY') this.dialAnew();
  }

  private dialAnew(): void {
    this.misses = 0;
    if (this.client.status === 'ready') this.client.disconnect(true);
  }

  private takeLastError(): RedisFailure | undefined {
    const last = this.lastError;
    this.lastError = undefined;
    return last;
  }
}
