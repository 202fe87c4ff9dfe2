import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { StageRedis } from '../redis/shared-redis';
import { isRevert } from './policy';
import type { CachedAnswer } from './response-cache';

export interface RedisCacheOptions {
  readonly redis: StageRedis;
  /** Which chain it is, beyond its id; undefined while that is not known: then nothing is kept nor found. */
  readonly identity: () => string | undefined;
  /** How long an answer is kept, in milliseconds; at least 1. */
  readonly ttlMs: number;
  /** How long a look-up may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** Nobody waits for what is written, but a Redis that takes this long is of no use. */
const WRITE_MS = 250;
/**
 * Larger answers are kept in memory alone: one connection carries all questions, and what is asked behind a large answer
 * waits for it.
 */
const MAX_SHARED_BYTES = 128 * 1024;
/** Answers on their way to Redis; more than this at once are not sent, for the same reason. */
const MAX_UNDER_WAY_BYTES = 1024 * 1024;

/**
 * Answers that all processes share. A Redis that is slow, gone or of another mind is a miss, at once or within
 * `timeoutMs`; nothing here ever rejects.
 *
 *     <prefix>cache:<identity>:<SHA-256 of the key, base64url>  ->  r<result> | e<error>
 */
export class RedisCache {
  private underWay = 0;

  constructor(private readonly options: RedisCacheOptions) {}

  /** Whether a look-up is worth its time now. */
  get usable(): boolean {
    return this.options.redis.usable && this.options.identity() !== undefined;
  }

  async get(key: string): Promise<CachedAnswer | undefined> {
    const { redis, timeoutMs } = this.options;
    const name = this.nameOf(key);
    if (name === undefined || !redis.usable) return undefined;
    try {
      return parseAnswer(await redis.command(timeoutMs, 'GET', name));
    } catch {
      return undefined;
    }
  }

  set(key: string, answer: CachedAnswer): void {
    const { redis, ttlMs } = this.options;
    const { length } = answer.text;
    const name = this.nameOf(key);
    if (name === undefined || !redis.usable || length > MAX_SHARED_BYTES) return;
    if (this.underWay + length > MAX_UNDER_WAY_BYTES) return;
    const end = (): void => {
      this.underWay -= length;
    };
    this.underWay += length;
    redis.command(WRITE_MS, 'SET', name, formatAnswer(answer), 'PX', ttlMs).then(end, end);
  }

  private nameOf(key: string): string | undefined {
    const identity = this.options.identity();
    if (identity === undefined) return undefined;
    return this.options.redis.key('cache', identity, createHash('sha256').update(key).digest('base64url'));
  }
}

function formatAnswer({ kind, text }: CachedAnswer): string {
  return (kind === 'result' ? 'r' : 'e') + text;
}

/** What anybody may have written is only an answer if we could have written it: the text goes to callers as it is. */
function parseAnswer(value: unknown): CachedAnswer | undefined {
  if (typeof value !== 'string' || value.length > MAX_SHARED_BYTES + 1) return undefined;
  const kind = value.startsWith('r') ? 'result' : value.startsWith('e') ? 'error' : undefined;
  if (kind === undefined) return undefined;
  const text = value.slice(1);
  const bytes = Buffer.from(text, 'latin1');
  if (!isJson(text) || text === 'null' || bytes.toString('latin1') !== text || !isUtf8(bytes)) return undefined;
  return kind === 'result' || isRevert(bytes) ? { kind, text } : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
