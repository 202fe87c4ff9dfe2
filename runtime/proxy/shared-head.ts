import type { HeadChange, HeadTracker } from '../chain/head-tracker';
import { createScript } from '../redis/script';
import type { StageRedis } from '../redis/shared-redis';
import type { BlockRef } from '../rpc/block-ref';
import { runLoop } from '../util/loop';

export interface SharedHeadOptions {
  readonly redis: StageRedis;
  /** Which chain it is, beyond its id; undefined while that is not known: then nothing is told nor heard. */
  readonly identity: () => string | undefined;
  readonly tracker: HeadTracker;
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

/**
 * The highest stays, whoever is first at a height; but what the teller gave up in a reorg, or is no head, gives way.
 * KEYS: the head's. ARGV: the number, the head, its lifetime in ms, the head that was given up.
 */
const TELL = createScript(`
local held = redis.call('GET', KEYS[1])
local form = '^{"number":(%d+),"hash":"0x%x+","parentHash":"0x%x+","timestamp":%d+}$'
local number = held and tonumber(string.match(held, form))
if number and held ~= ARGV[2] and held ~= ARGV[4] and number >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`);

/**
 * The head that processes share by Redis. Each tells the head that its own nodes stand behind, never one it only heard
 * of: so what all have given up is gone with its lifetime. Nobody waits for any of this.
 */
export class SharedHead {
  private toldAt = Number.NEGATIVE_INFINITY;
  /** The last head we gave up, as it may be held. */
  private givenUp = '';
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
  changed({ previous, reorg }: HeadChange): void {
    if (reorg && previous !== undefined) this.givenUp = format(previous);
    this.tell();
  }

  private async look(): Promise<number> {
    const { redis, tracker } = this.options;
    if (!redis.configured) return IDLE_MS;
    const name = this.name();
    const { head } = tracker;
    if (name === undefined || head === undefined) return LOOK_MS;
    try {
      const shared = parse(await redis.command(DEADLINE_MS, 'GET', name));
      // What was asked before our head changed tells nothing of after.
      if (head === tracker.head) this.compare(shared, head);
    } catch {
      // Each process goes on by itself.
    }
    return LOOK_MS;
  }

  private compare(shared: BlockRef | undefined, head: BlockRef): void {
    const { tracker, now, onHeard } = this.options;
    if (shared !== undefined && tracker.hear(shared)) {
      onHeard(shared);
      return;
    }
    const isOutdated = shared === undefined || shared.number < head.number || format(shared) === this.givenUp;
    if (isOutdated || now() - this.toldAt >= TELL_AGAIN_MS) this.tell();
  }

  private tell(): void {
    const { redis, tracker, now } = this.options;
    const { head } = tracker;
    const name = this.name();
    if (name === undefined || head === undefined || tracker.isHeard) return;
    this.toldAt = now();
    const args = [head.number, format(head), LIFETIME_MS, this.givenUp];
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
