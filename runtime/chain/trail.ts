import type { BlockName } from '../rpc/block-ref';
import { parseLog, toRemoved } from '../rpc/log';
import { ChainReadError } from './read-chain';

/** A block that a listener knows of, and the logs it was told with it, as they were told. */
export interface ToldBlock extends BlockName {
  readonly logs: readonly string[];
  /** None of its logs is news, whatever a node tells: it was there when the listener began, or all of them are forgotten. */
  readonly closed?: true;
  /** The places of logs that were told and are forgotten, while others may still come. */
  readonly forgotten?: readonly string[];
}

/**
 * What a listener was told last, so that it can be told what became of it:
 *
 *     blocks   97 ── 98 ── 99 ── 100 (upTo)
 *                     └── 99' ─ 100' ── 101'     the logs of 100 and 99 are taken back, those of 99' … 101' are told
 *
 * Of a number that no block of the trail has nothing was told, so it need not be known which block it was.
 */
export interface Trail {
  /** All there is up to this number, on the branch of the trail, was told. */
  readonly upTo: number;
  /** In the order of their numbers, each of which is there once; at least one, and the first is not above `upTo`. */
  readonly blocks: readonly ToldBlock[];
}

/** Of so many newest blocks it is remembered what was told: a reorganisation deeper than that is not undone. */
export const TRAIL_BLOCKS = 64;
/** Characters of logs that are remembered at most; beyond that the oldest are forgotten, but for their blocks. */
export const TRAIL_CHARS = 1024 * 1024;
/** Who begins to listen may be told of a reorganisation of blocks that were there before: so many are noted. */
const FIRST_BLOCKS = 16;

/** The trail of who begins to listen now: nothing up to the head is news. */
export function beginTrail(head: BlockName, hashAt: (number: number) => string | undefined): Trail {
  const blocks: ToldBlock[] = [{ number: head.number, hash: head.hash, logs: [], closed: true }];
  for (let number = head.number - 1; number >= 0 && blocks.length < FIRST_BLOCKS; number--) {
    const hash = hashAt(number);
    if (hash === undefined) break;
    blocks.unshift({ number, hash, logs: [], closed: true });
  }
  return { upTo: head.number, blocks };
}

export interface Split {
  /** Still of the chain. */
  readonly kept: readonly ToldBlock[];
  readonly orphaned: readonly ToldBlock[];
  /** The first number that there may be news of. */
  readonly from: number;
}

/** What holds of a trail. @param isOurs whether a block of the trail is on the branch that is told now */
export function splitTrail({ upTo, blocks }: Trail, isOurs: (block: BlockName) => boolean): Split {
  const kept: ToldBlock[] = [];
  const orphaned: ToldBlock[] = [];
  let from = blocks[0]?.number ?? upTo + 1;
  for (const block of blocks) {
    if (!isOurs(block)) orphaned.push(block);
    else {
      kept.push(block);
      // Above a block that was given up others may have come in whose logs were not told.
      if (orphaned.length === 0 && block.number <= upTo) from = block.number + 1;
    }
  }
  return { kept, orphaned, from };
}

/** The logs of blocks that were given up, taken back in the order in which they are undone. */
export function removedLogs(orphaned: readonly ToldBlock[]): string[] {
  return orphaned.toReversed().flatMap(({ logs }) => logs.toReversed().map(toRemoved));
}

/** Of these blocks what was not told yet: a block that is known counts for its logs that are not. */
export function untold(kept: readonly ToldBlock[], blocks: readonly ToldBlock[]): ToldBlock[] {
  const known = new Map(kept.map((block) => [block.hash, block]));
  return blocks.flatMap((block) => {
    const before = known.get(block.hash);
    if (before === undefined) return block;
    if (before.closed) return [];
    const told = new Set<string | undefined>([...(before.forgotten ?? []), ...indexesOf(before)]);
    const logs = block.logs.filter((text) => !told.has(parseLog(text)?.index));
    return logs.length === 0 ? [] : { ...block, logs };
  });
}

/**
 * The trail after more was told.
 *
 * @param reached the block up to which all is told now
 * @throws ChainReadError where two blocks of one number are among them: then they are not of one branch
 */
export function extendTrail(kept: readonly ToldBlock[], told: readonly ToldBlock[], reached: BlockName): Trail {
  const byNumber = new Map<number, ToldBlock>();
  for (const block of [...kept, ...told]) {
    const before = byNumber.get(block.number);
    if ((before?.hash ?? block.hash) !== block.hash) throw divided(block);
    byNumber.set(block.number, before === undefined ? block : { ...before, logs: [...before.logs, ...block.logs] });
  }
  const { number, hash } = reached;
  if ((byNumber.get(number)?.hash ?? hash) !== hash) throw divided(reached);
  if (!byNumber.has(number)) byNumber.set(number, { number, hash, logs: [] });
  const all = [...byNumber.values()].sort((a, b) => a.number - b.number);
  const recent = all.filter((block) => block.number > number - TRAIL_BLOCKS);
  return { upTo: number, blocks: withinChars(recent, number) };
}

function divided({ number }: BlockName): ChainReadError {
  return new ChainReadError('STRAY', `what was told is of two different blocks ${number}`);
}

/** @param upTo blocks up to this number have no more to tell */
function withinChars(blocks: readonly ToldBlock[], upTo: number): ToldBlock[] {
  let left = TRAIL_CHARS;
  return blocks
    .toReversed()
    .map((block) => {
      const chars = block.logs.reduce((sum, log) => sum + log.length, 0);
      left -= chars;
      return left >= 0 || chars === 0 ? block : forget(block, block.number <= upTo);
    })
    .reverse();
}

/** Without the logs, but it stays known that they were told. */
function forget({ forgotten = [], ...block }: ToldBlock, isWhole: boolean): ToldBlock {
  const known = isWhole ? { closed: true as const } : { forgotten: [...forgotten, ...indexesOf(block)] };
  return { number: block.number, hash: block.hash, logs: [], ...known };
}

function indexesOf({ logs }: Pick<ToldBlock, 'logs'>): string[] {
  return logs.flatMap((text) => parseLog(text)?.index ?? []);
}
