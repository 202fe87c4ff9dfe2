import type { BlockRef } from '../rpc/block-ref';
import { BlockRing } from './block-ring';
import { BlockTime } from './block-time';
import { type Claim, decideHead } from './head-rule';
import { Hearsay } from './hearsay';
import { Members } from './members';

export interface HeadTrackerOptions {
  /** Milliseconds since 1970 that never step backwards. */
  readonly now: () => number;
  /** Blocks one node may raise the head by at any time; at least 0. */
  readonly maxLagBlocks: number;
  /** Block time in milliseconds until it is learned. @default 12 000, the slot of mainnet's beacon chain */
  readonly startBlockTimeMs?: number;
  /** How long all nodes must have gone back before the head follows them down unasked. @default 30 000 */
  readonly resetAfterMs?: number;
  /** Blocks remembered; at least 2. @default 256 */
  readonly ringSize?: number;
  readonly onChange?: (change: HeadChange) => void;
}

export interface HeadChange {
  readonly head: BlockRef;
  readonly previous: BlockRef | undefined;
  /** Blocks up to `previous` were given up; false where a gap hides it. */
  readonly reorg: boolean;
}

/** What others may know of a chain. */
export interface ChainView {
  /** Undefined until the first head was confirmed. Goes back in a reorg only. */
  readonly head: BlockRef | undefined;
  /** Milliseconds from one block to the next, learned; never 0. */
  readonly blockTimeMs: number;
  /** The hash of the head's branch at this number, for the newest blocks as far as they were seen. */
  hashAt(number: number): string | undefined;
  /** Whether the hash is on the head's branch, as far as it was seen. */
  has(hash: string): boolean;
  /** Whether the hash is on the head's branch, or was before a reorg. */
  wasOurs(hash: string): boolean;
  /** Whether a node that shows `nodeHead` has block `number` of the head's branch. */
  hasBlock(nodeHead: BlockRef, number: number): boolean;
}

/** A single node, or other processes, never raise the head by more blocks than this, however long the chain was idle. */
const MOST_ALONE = 256;
/** An unconfirmed claim this far above the head, in the larger of blocks and milliseconds, is no burst of blocks. */
const FAR_AHEAD_LAGS = 10;
const FAR_AHEAD_MS = 10_000;

/**
 * The head of one chain, out of what its nodes show. Pure: it acts when told something, and reads the time when it
 * does. The rules are in head-rule.ts.
 */
export class HeadTracker implements ChainView {
  private readonly ring: BlockRing;
  private readonly blockTime: BlockTime;
  private readonly members = new Members();
  private readonly hearsay = new Hearsay();
  private readonly resetAfterMs: number;
  private refused: string | undefined;
  private raisedAt = 0;
  /** Since when one node only exists, and since when all nodes have given the head up. */
  private aloneSince: number | undefined;
  private orphanedSince: number | undefined;

  constructor(private readonly options: HeadTrackerOptions) {
    this.ring = new BlockRing(options.ringSize);
    this.blockTime = new BlockTime(options.startBlockTimeMs ?? 12_000);
    this.resetAfterMs = options.resetAfterMs ?? 30_000;
  }

  get head(): BlockRef | undefined {
    return this.ring.tip;
  }

  get blockTimeMs(): number {
    return this.blockTime.ms;
  }

  hashAt(number: number): string | undefined {
    return this.ring.hashAt(number);
  }

  has(hash: string): boolean {
    return this.ring.has(hash);
  }

  wasOurs(hash: string): boolean {
    return this.ring.wasOurs(hash);
  }

  hasBlock(nodeHead: BlockRef, number: number): boolean {
    return this.ring.holds(nodeHead, number);
  }

  /** Who exists. New names are waited for until they are observed or forgotten; names left out are removed. */
  setNodes(names: readonly string[]): void {
    for (const name of this.members.set(names)) this.blockTime.remove(name);
    this.update();
  }

  /** A node's newest block, also when it did not change. A name that `setNodes` did not give is ignored. */
  observe(name: string, block: BlockRef): void {
    if (!this.members.observe(name, block)) return;
    this.ring.note(block);
    // A node that catches up shows many blocks at once, which says nothing of the chain's pace.
    const isCurrent = block.number >= (this.head?.number ?? 0) - this.options.maxLagBlocks;
    if (isCurrent) this.blockTime.observe(name, block.number, this.options.now());
    else this.blockTime.interrupt(name);
    this.update();
  }

  /**
   * The head of another process that shares this chain. It raises ours where it is above, by no more than one node of
   * ours might have raised it since our nodes did, and nothing we know speaks against it; so a client that goes from one
   * process to the other does not see the chain go back.
   *
   * @returns whether it did
   */
  hear(block: BlockRef): boolean {
    const { head: previous, hearsay, ring } = this;
    if (previous === undefined) return false;
    const now = this.options.now();
    const own = hearsay.own ?? { block: previous, raisedAt: this.raisedAt };
    const most = own.block.number + this.allowance(own.raisedAt, now);
    const news = { head: previous, most, relation: ring.relate(block), now, has: (hash: string) => ring.has(hash) };
    if (!hearsay.admits(block, news)) return false;
    this.raisedAt = now;
    this.orphanedSince = undefined;
    hearsay.raised(block, own, this.members.anyLive === undefined ? undefined : now);
    ring.adopt(block);
    this.options.onChange?.({ head: block, previous, reorg: false });
    return true;
  }

  /** Whether the head is known from other processes only: no node of ours has reached it so far. */
  get isHeard(): boolean {
    return this.hearsay.isOnly(this.head);
  }

  /** The node no longer counts, until it is observed again: it is down, on another chain, or its first probe failed. */
  forget(name: string): void {
    if (!this.members.forget(name)) return;
    this.blockTime.interrupt(name);
    this.update();
  }

  /** Whether this node claims a block above the head that no other node confirms. */
  isAhead(name: string): boolean {
    return this.refused === name;
  }

  /** Blocks by which the node claims to be ahead unconfirmed, where that is too far for a burst of blocks; else 0. */
  suspiciousBy(name: string): number {
    if (!this.isAhead(name)) return 0;
    const ahead = (this.members.blockOf(name)?.number ?? 0) - (this.head?.number ?? 0);
    return ahead > this.farAhead() ? ahead : 0;
  }

  suspicious(name: string): boolean {
    return this.suspiciousBy(name) > 0;
  }

  private update(): void {
    const previous = this.head;
    const now = this.options.now();
    let reorg = this.endHearsay(now);
    this.aloneSince = this.members.existing === 1 ? (this.aloneSince ?? now) : undefined;
    // A first head may be raised at once, and a reorg changes how all claims relate to it; then it is settled.
    for (let round = 0; round < 3; round++) {
      const next = this.decide(now);
      if (next === undefined) break;
      if (this.head === undefined || next.number > this.head.number) this.raisedAt = now;
      else this.members.lowerPeaks(next.number);
      const before = this.head;
      const gaveUp = this.ring.adopt(next);
      this.hearsay.moved(next, before, gaveUp);
      reorg ||= gaveUp;
      this.orphanedSince = undefined;
    }
    const head = this.head;
    if (head !== undefined && head !== previous) this.options.onChange?.({ head, previous, reorg });
  }

  private decide(now: number): BlockRef | undefined {
    const claims = this.members.claims((block) => this.ring.relate(block));
    const { head, blockTimeMs } = this;
    const { maxLagBlocks } = this.options;
    const decision = decideHead(claims, {
      head,
      heard: this.isHeard,
      alone: this.alone(now),
      allowance: this.allowance(this.raisedAt, now),
      maxLagBlocks,
      blockTimeMs,
      now,
    });
    this.refused = decision.refused;
    return decision.adopt ?? this.reset(claims, now);
  }

  /**
   * A head that was only heard of becomes ours when a node reaches it. If none does in time, what our nodes showed last
   * is the head again: others may be wrong, and every read would wait for a block that does not come.
   *
   * @returns whether the head was given up
   */
  private endHearsay(now: number): boolean {
    const { head, hearsay, ring } = this;
    if (head === undefined || !this.isHeard) return false;
    const claims = this.members.claims((block) => ring.relate(block));
    hearsay.compare(claims, head.number + this.allowance(this.raisedAt, now), now);
    const own = hearsay.expire(this.blockTimeMs, now);
    if (own === undefined) return false;
    this.raisedAt = own.raisedAt;
    return ring.adopt(own.block);
  }

  /** Blocks by which one voice may raise a head that is there since `since`. */
  private allowance(since: number, now: number): number {
    return Math.min(MOST_ALONE, (2 * (now - since)) / this.blockTimeMs) + this.options.maxLagBlocks;
  }

  /** The only node that exists. One that others just called far ahead is not believed the moment they are gone. */
  private alone(now: number): string | undefined {
    if (this.aloneSince === undefined) return undefined;
    const only = this.members.anyLive;
    if (only === undefined) return undefined;
    return this.suspicious(only) && now - this.aloneSince < this.resetAfterMs ? undefined : only;
  }

  /**
   * A chain set back to an earlier block, as development chains are, shows no hash that contradicts the ring. It is
   * believed once every live node has stayed back for `resetAfterMs`, unless a node that had the head is merely away.
   * A head that was only heard of is given up by nodes that go back behind what they showed themselves.
   */
  private reset(claims: readonly Claim[], now: number): BlockRef | undefined {
    const { head, members } = this;
    const number = this.isHeard ? Math.min(head?.number ?? 0, members.highest) : head?.number;
    if (number === undefined || !members.haveGivenUp(number, claims, this.ring.size)) {
      this.orphanedSince = undefined;
      return undefined;
    }
    this.orphanedSince ??= now;
    if (now - this.orphanedSince < this.resetAfterMs) return undefined;
    return claims.map(({ block }) => block).reduce((best, block) => (block.number > best.number ? block : best));
  }

  private farAhead(): number {
    return Math.max(FAR_AHEAD_LAGS * this.options.maxLagBlocks, FAR_AHEAD_MS / this.blockTimeMs);
  }
}
