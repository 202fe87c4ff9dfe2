import type { BlockRef } from '../rpc/block-ref';
import type { Relation } from './block-ring';
import type { Claim } from './head-rule';

interface Member {
  /** `expected` was not heard of yet, `away` is down, on another chain, or otherwise not to be counted. */
  presence: 'expected' | 'live' | 'away';
  /** The newest block it shows, while live. */
  block: BlockRef | undefined;
  /** The highest number it ever showed of this branch. */
  peak: number;
}

/** The nodes of a chain, and what each shows. */
export class Members {
  private readonly byName = new Map<string, Member>();

  /** Nodes that are live or still expected. */
  get existing(): number {
    let count = 0;
    for (const { presence } of this.byName.values()) if (presence !== 'away') count++;
    return count;
  }

  get anyLive(): string | undefined {
    for (const [name, { presence }] of this.byName) if (presence === 'live') return name;
    return undefined;
  }

  /** The highest number any of them ever showed of this branch; −1 where none did. */
  get highest(): number {
    let highest = -1;
    for (const { peak } of this.byName.values()) highest = Math.max(highest, peak);
    return highest;
  }

  blockOf(name: string): BlockRef | undefined {
    return this.byName.get(name)?.block;
  }

  /** @returns the names that were removed */
  set(names: readonly string[]): string[] {
    for (const name of names) {
      if (!this.byName.has(name)) this.byName.set(name, { presence: 'expected', block: undefined, peak: -1 });
    }
    const removed = [...this.byName.keys()].filter((name) => !names.includes(name));
    for (const name of removed) this.byName.delete(name);
    return removed;
  }

  /** @returns whether it is a member */
  observe(name: string, block: BlockRef): boolean {
    const member = this.byName.get(name);
    if (member === undefined) return false;
    member.presence = 'live';
    member.block = block;
    member.peak = Math.max(member.peak, block.number);
    return true;
  }

  /** @returns whether it counted before */
  forget(name: string): boolean {
    const member = this.byName.get(name);
    if (member === undefined || member.presence === 'away') return false;
    member.presence = 'away';
    member.block = undefined;
    return true;
  }

  claims(relate: (block: BlockRef) => Relation): Claim[] {
    const claims: Claim[] = [];
    for (const [node, { block }] of this.byName) {
      if (block !== undefined) claims.push({ node, block, relation: relate(block) });
    }
    return claims;
  }

  /**
   * Whether every live node shows a lower block than `head`, a number, although it once had it, or is on a fork, or out
   * of the reach of the ring; but not while all of them merely lag behind a member that had the head and is away.
   */
  haveGivenUp(head: number, claims: readonly Claim[], reach: number): boolean {
    let oneHadIt = false;
    for (const { node, block, relation } of claims) {
      if (block.number >= head) return false;
      const hadIt = (this.byName.get(node)?.peak ?? -1) >= head;
      if (!hadIt && relation !== 'fork' && block.number > head - reach) return false;
      oneHadIt ||= hadIt;
    }
    if (oneHadIt) return true;
    return claims.length > 0 && ![...this.byName.values()].some(({ peak }) => peak >= head);
  }

  /** What nodes showed of a branch that was given up is no measure any more. */
  lowerPeaks(number: number): void {
    for (const member of this.byName.values()) member.peak = Math.min(member.peak, member.block?.number ?? number);
  }
}
