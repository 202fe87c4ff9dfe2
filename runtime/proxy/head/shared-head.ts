import type { HeadTracker } from '../../chain/head-tracker';
import { createScript } from '../../redis/script';
import type { StageRedis } from '../../redis/shared-redis';
import type { BlockRef } from '../../rpc/block-ref';
import { runLoop } from '../../util/loop';

export interface SharedHeadOptions {
  readonly redis: StageRedis;
  /** Which chain it is, beyond its id; undefined while that is not known: then nothing is told nor heard. */
  readonly identity: () => string | undefined;
  readonly tracker: HeadTracker;
  /** Names this process among those that tell; nobody else has it. */
  readonly teller: string;
  /** Milliseconds of any clock that does not step backwards. */
  readonly now: () => number;
  /** Our head has been raised to this block, which our nodes may not have yet. */
  readonly onHeard: (block: BlockRef) => void;
  /** Ends all of it. */
  readonly signal: AbortSignal;
}

/** How often Redis is looked at; and whether there is one by now, where none is configured. */
const LOOK_MS = 100;
const IDLE_MS = 1000;
const DEADLINE_MS = 250;
/** How long a head is there that nobody tells any more, and how often it is told again. */
const LIFETIME_MS = 60_000;
const TELL_AGAIN_MS = 15_000;

/** More tellers than these are not kept; who told longest ago goes first. */
const MOST_TELLERS = 64;

/**
 * Each teller has a field, so that a head which others do not believe hides none. What nobody told again in time goes,
 * and so does what is none of ours.
 * KEYS: the heads'. ARGV: the teller, its head, the lifetime of both in ms, the most tellers.
 */
const TELL = createScript(`
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' then redis.call('DEL', KEYS[1]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %s', now, ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local fields = redis.call('HGETALL', KEYS[1])
local left, oldest, oldestAt = #fields / 2, nil, now
for i = 1, #fields, 2 do
  local told = tonumber(string.match(fields[i + 1], '^(%d+) '))
  if not told or told > now or now - told >= tonumber(ARGV[3]) then
    redis.call('HDEL', KEYS[1], fields[i])
    left = left - 1
  elseif told <= oldestAt and fields[i] ~= ARGV[1] then
    oldest, oldestAt = fields[i], told
  end
end
if oldest and left > tonumber(ARGV[4]) then redis.call('HDEL', KEYS[1], oldest) end
return 1
`);

/** What is told, each head once. KEYS: the heads'. */
const LOOK = createScript(`
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return {} end
local heads, known = {}, {}
for _, value in ipairs(redis.call('HVALS', KEYS[1])) do
  local head = string.match(value, '^%d+ (.*)$')
  if head and not known[head] then
    known[head] = true
    heads[#heads + 1] = head
  end
end
return heads
`);

/**
 * The heads that processes share by Redis. Each tells the head that its own nodes stand behind, never one it only heard
 * of: so what all have given up is gone with its lifetime. Nobody waits for any of this.
 */
export class SharedHead {
  private toldAt = Number.NEGATIVE_INFINITY;
  private looking: Promise<void> | undefined;

  constructor(private readonly options: SharedHeadOptions) {}

  start(): void {
    const { signal } = this.options;
    this.looking ??= runLoop(signal, () => this.look());
  }

  /** Resolves when it has ended; abort the signal first. */
  async ended(): Promise<void> {
    await this.looking;
  }

  /** Our head has changed. */
  changed(): void {
    this.tell();
  }

  private async look(): Promise<number> {
    const { redis, tracker } = this.options;
    if (!redis.configured) return IDLE_MS;
    const name = this.name();
    const { head } = tracker;
    if (name === undefined || head === undefined) return LOOK_MS;
    try {
      const heads = await redis.run(DEADLINE_MS, LOOK, [name], []);
      // What was asked before our head changed tells nothing of after.
      if (head === tracker.head) this.compare(Array.isArray(heads) ? heads : [], head);
    } catch {
      // Each process goes on by itself.
    }
    return LOOK_MS;
  }

  private compare(heads: readonly unknown[], head: BlockRef): void {
    const { tracker, now, onHeard } = this.options;
    const highestFirst = heads
      .map(parse)
      .filter((block) => block !== undefined)
      .sort((a, b) => b.number - a.number);
    const heard = highestFirst.find((block) => tracker.hear(block));
    if (heard !== undefined) onHeard(heard);
    else if (!heads.includes(format(head)) || now() - this.toldAt >= TELL_AGAIN_MS) this.tell();
  }

  private tell(): void {
    const { redis, tracker, teller, now } = this.options;
    const { head } = tracker;
    const name = this.name();
    if (name === undefined || head === undefined || tracker.isHeard) return;
    this.toldAt = now();
    const args = [teller, format(head), LIFETIME_MS, MOST_TELLERS];
    redis.run(DEADLINE_MS, TELL, [name], args).catch(() => undefined);
  }

  private name(): string | undefined {
    const { redis, identity } = this.options;
    const chain = identity();
    return chain === undefined || !redis.usable ? undefined : redis.key('head', chain);
  }
}

function format({ number, hash, parentHash, timestamp }: BlockRef): string {
  return JSON.stringify({ number, hash, parentHash, timestamp });
}

const FORM =
  /^\{"number":(\d{1,15}),"hash":"(0x[0-9a-f]{64})","parentHash":"(0x[0-9a-f]{64})","timestamp":(\d{1,15})\}$/;

/** Undefined for what is none, whoever wrote it. */
function parse(value: unknown): BlockRef | undefined {
  const [, number, hash, parentHash, timestamp] = (typeof value === 'string' ? FORM.exec(value) : undefined) ?? [];
  if (hash === undefined || parentHash === undefined) return undefined;
  return { number: Number(number), hash, parentHash, timestamp: Number(timestamp) };
}
