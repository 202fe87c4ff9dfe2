import { Redis as Client } from 'ioredis';
import type { RedisConfig } from '../config/schema';
import { clientOptions, databaseOf } from './client-options';
import { within } from './deadline';
import { RedisFailure, type RedisFailureCode, toRedisFailure } from './failure';
import type { Script } from './script';
import { checkServer } from './server-check';

export interface ConnectionEvents {
  /** It answers, again or for the first time; a simple question in so many milliseconds. */
  readonly onUp: (answerMs: number) => void;
  /** It does not any more, or not from the start; told once for each reason until it is up. */
  readonly onDown: (failure: RedisFailure) => void;
}

/** How often one that is down is looked at, how long it may take then, and after how many misses it is dialled anew. */
const LOOK_MS = 100;
const ANSWER_MS = 500;
const MAX_MISSES = 2;
/** One that is down again this soon is looked at more and more rarely, down to this. */
const SOON_MS = 10_000;
const MAX_LOOK_MS = 2000;
/** The pause before it is dialled again: short at first, for a new primary is found by trying. */
const DIAL_MS = 50;
const MAX_DIAL_MS = 1000;
/**
 * A question that is late is the connection's fault only where nothing at all came for so long meanwhile, and for this
 * many times as long as answers usually take: else a slow Redis would be a silent one whenever little is asked.
 */
const SILENT_MS = 50;
const SILENT_ANSWERS = 2;
/** What is usual follows a slower answer at once, and faster ones by this share each. */
const FORGOTTEN = 0.2;

/** A script that does nothing waits wherever those of the stages would, so also while all writes are held back. */
const PROBE = ['return 1', 0] as const;

/** After these the connection itself is of no use; other refusals concern one command. */
const ENDS: ReadonlySet<RedisFailureCode> = new Set(['LOST', 'READONLY', 'LOADING', 'CLUSTER']);

/**
 * The one connection to Redis, with a breaker: when it falls silent nothing more is sent, so nobody waits any more, until
 * it answers again.
 *
 *     dial ──▶ check ──▶ up ── silent behind a late question, READONLY, connection lost ──▶ down
 *      ▲         ▲                                                                           │ every 100 ms
 *      │         └──────────────────── still connected: check again ─────────────────────────┤
 *      └────────────────────────────── silent, or a replica: dial anew ──────────────────────┘
 */
export class RedisConnection {
  private readonly client: Client;
  private readonly database: number;
  private up = false;
  private upAt = Number.NEGATIVE_INFINITY;
  private closed = false;
  private failure: RedisFailure | undefined;
  /** Reasons told since it was up. */
  private readonly told = new Set<RedisFailureCode>();
  private lastError: RedisFailure | undefined;
  /** We ended the connection ourselves, for a reason that is told. */
  private leaving = false;
  /** When anything came from it. */
  private heardAt = 0;
  /** How long answers take, at most, as of late. */
  private usualMs = 0;
  /** What is asked in this turn of the event loop is held back to its end, and then written at once. */
  private gathering = false;
  private dials = 0;
  private misses = 0;
  private flaps = 0;
  private suspected = false;
  private timer: NodeJS.Timeout | undefined;
  private dialling: NodeJS.Timeout | undefined;

  /** @param ca certificate authorities (PEM) instead of the system's */
  constructor(
    private readonly config: RedisConfig,
    ca: string | undefined,
    private readonly events: ConnectionEvents,
  ) {
    this.database = databaseOf(config);
    this.client = new Client(clientOptions(config, ca, () => this.dialPause()));
    this.client.on('connecting', () => this.dialled());
    this.client.on('connect', () => this.client.stream.on('data', () => (this.heardAt = performance.now())));
    this.client.on('ready', () => {
      clearTimeout(this.dialling);
      this.look();
    });
    this.client.on('error', (error: unknown) => (this.lastError = toRedisFailure(error)));
    this.client.on('close', () => this.ended());
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

  /** Asks what costs Redis nothing. @throws RedisFailure */
  async probe(deadlineMs: number): Promise<void> {
    await this.command(deadlineMs, 'EVAL', PROBE);
  }

  close(): void {
    this.closed = true;
    this.up = false;
    clearTimeout(this.timer);
    clearTimeout(this.dialling);
    this.client.disconnect();
  }

  private async ask(deadlineMs: number, send: () => Promise<unknown>): Promise<unknown> {
    if (!this.up) throw new RedisFailure('DOWN');
    const askedAt = performance.now();
    this.gather();
    try {
      const answer = await within(deadlineMs, send());
      this.took(performance.now() - askedAt);
      return answer;
    } catch (error) {
      const failure = toRedisFailure(error);
      // Of many questions that were under way the first tells.
      if (this.usable) this.judge(failure, askedAt);
      throw failure;
    }
  }

  /** One write for many questions takes half the time of one for each. */
  private gather(): void {
    if (this.gathering) return;
    this.gathering = true;
    const { stream } = this.client;
    stream.cork();
    setImmediate(() => {
      this.gathering = false;
      stream.uncork();
    });
  }

  private took(ms: number): void {
    this.usualMs = Math.max(ms, this.usualMs * (1 - FORGOTTEN));
  }

  private judge(failure: RedisFailure, askedAt: number): void {
    const { code } = failure;
    if (ENDS.has(code)) this.fail(failure);
    if (code === 'READONLY') this.dialAnew();
    if (code !== 'TIMEOUT') return;
    const silentMs = performance.now() - Math.max(this.heardAt, askedAt);
    if (silentMs >= Math.max(SILENT_MS, SILENT_ANSWERS * this.usualMs)) this.fail(failure);
    else this.suspect();
  }

  /** It was late for a short deadline, which may be all there is to it. */
  private suspect(): void {
    if (this.suspected) return;
    this.suspected = true;
    within(ANSWER_MS, this.client.ping()).then(
      () => (this.suspected = false),
      (error: unknown) => {
        this.suspected = false;
        if (this.up) this.fail(toRedisFailure(error));
      },
    );
  }

  private fail(failure: RedisFailure): void {
    if (this.closed) return;
    if (this.up) this.flaps = performance.now() - this.upAt < SOON_MS ? this.flaps + 1 : 0;
    this.up = false;
    this.failure = failure;
    if (!this.told.has(failure.code)) {
      this.told.add(failure.code);
      this.events.onDown(failure);
    }
    this.timer ??= setTimeout(
      () => {
        this.timer = undefined;
        this.look();
      },
      Math.min(MAX_LOOK_MS, LOOK_MS * 2 ** this.flaps),
    );
  }

  private look(): void {
    if (this.up || this.closed || this.client.status !== 'ready') return;
    clearTimeout(this.timer);
    this.timer = undefined;
    within(ANSWER_MS, this.check()).then(
      (answerMs) => this.answered(answerMs),
      (error: unknown) => this.missed(toRedisFailure(error)),
    );
  }

  /** @returns how long a simple question takes. @throws RedisFailure */
  private async check(): Promise<number> {
    await checkServer(this.client, this.database);
    const askedAt = performance.now();
    await this.client.call('EVAL', ...PROBE).catch((error: unknown) => {
      const failure = toRedisFailure(error);
      if (ENDS.has(failure.code)) throw failure;
    });
    return performance.now() - askedAt;
  }

  private answered(answerMs: number): void {
    this.took(answerMs);
    this.misses = 0;
    if (this.up || this.closed || this.client.status !== 'ready') return;
    this.up = true;
    this.upAt = performance.now();
    this.dials = 0;
    this.told.clear();
    this.events.onUp(answerMs);
  }

  private missed(failure: RedisFailure): void {
    const isSilent = failure.code === 'TIMEOUT' && ++this.misses >= MAX_MISSES;
    this.fail(failure);
    if (isSilent || failure.code === 'READONLY') this.dialAnew();
  }

  private dialAnew(): void {
    this.misses = 0;
    this.leaving = true;
    this.client.disconnect(true);
  }

  private dialPause(): number {
    return Math.min(MAX_DIAL_MS, DIAL_MS * 2 ** this.dials++) * (0.5 + 0.5 * Math.random());
  }

  /** A connection that the system made may still lead to nobody: TLS and authentication count too. */
  private dialled(): void {
    clearTimeout(this.dialling);
    this.dialling = setTimeout(() => {
      this.fail(new RedisFailure('TIMEOUT'));
      this.dialAnew();
    }, this.config.connectTimeoutMs);
  }

  private ended(): void {
    clearTimeout(this.dialling);
    const failure = this.lastError ?? (this.leaving ? undefined : new RedisFailure('LOST'));
    this.lastError = undefined;
    this.leaving = false;
    if (failure !== undefined) this.fail(failure);
  }
}
