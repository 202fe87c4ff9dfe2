import { BranchReader } from '../chain/branch-reader';
import { type LogWalk, type LogWalkParts, walkLogs } from '../chain/log-walk';
import { ChainReadError, type ChainSend } from '../chain/read-chain';
import { extendTrail, removedLogs, splitTrail, type Split, type ToldBlock, type Trail, untold } from '../chain/trail';
import type { BlockName } from '../rpc/block-ref';
import type { HeadView } from '../rpc/head-view';
import type { LogCriteria } from './criteria';

/** What became of the chain since a trail, as far as it could be read. */
export interface Advance {
  /** What to tell, each a JSON text, in order. */
  readonly changes: readonly string[];
  readonly trail: Trail;
}

export interface AdvanceParts {
  readonly head: HeadView;
  readonly send: ChainSend;
  /** Blocks one question is about at most; at least 1. */
  readonly maxBlocks: number;
}

/**
 * Whether there is nothing to tell: all up to the head was told, or the head of this process is behind what another has
 * told already.
 */
export function isUpToDate({ upTo, blocks }: Trail, head: HeadView): boolean {
  const last = blocks.findLast(({ number }) => number <= head.number);
  if (last === undefined) return false;
  const isOurs = (last.number === head.number ? head.hash : (head.hashAt(last.number) ?? last.hash)) === last.hash;
  return isOurs && (head.number < upTo || (last.number === head.number && upTo === head.number));
}

/**
 * Whether another process has told a block that this one never had for its own, while its head is not above it. It is
 * behind then, or the two are not at one yet: to tell its view would only be taken back by the other at the next poll.
 */
export function isElsewhere({ blocks }: Trail, head: HeadView, wasOurs: (hash: string) => boolean): boolean {
  const last = blocks.at(-1);
  return last !== undefined && head.number <= last.number && !wasOurs(last.hash);
}

/** The logs since: those of blocks that were given up are taken back first. @throws ChainReadError where nothing could be read */
export async function advanceLogs(trail: Trail, criteria: LogCriteria, parts: AdvanceParts): Promise<Advance> {
  const { head, send, maxBlocks } = parts;
  const branch = new BranchReader(head, send);
  const split = await splitBy(branch, trail);
  const { from: least, to: most, ...match } = criteria;
  const from = Math.max(split.from, least ?? 0);
  const to = Math.min(head.number, most ?? head.number);
  const walk = from > to ? NO_LOGS : await walkLogs(from, to, match, { send, maxBlocks, ...namesOf(branch) });
  const isWhole = from > to || walk.reached === to;
  const reached = isWhole ? head.number : walk.reached;
  // What can be told already is; without any of it the failure is the answer.
  if (reached < split.from && walk.failure !== undefined && split.orphaned.length === 0) throw walk.failure;
  const told = untold(split.kept, walk.blocks);
  const next = extendTrail(split.kept, told, await nameOf(branch, split.kept, reached));
  if (!branch.holds) throw new ChainReadError('STRAY', 'the branch changed while its logs were read');
  return { changes: [...removedLogs(split.orphaned), ...told.flatMap(({ logs }) => logs)], trail: next };
}

/** The hashes of the blocks since; those of a new branch from where it left the old one. @throws ChainReadError */
export async function advanceBlocks(trail: Trail, { head, send, maxBlocks }: AdvanceParts): Promise<Advance> {
  const branch = new BranchReader(head, send);
  const { kept, from } = await splitBy(branch, trail);
  const to = Math.min(head.number, from + maxBlocks - 1);
  const hashes = from > to ? [] : await branch.hashes(from, to);
  const blocks = hashes.map((hash, i): ToldBlock => ({ number: from + i, hash, logs: [] }));
  const last = blocks.at(-1) ?? { number: head.number, hash: head.hash };
  if (!branch.holds) throw new ChainReadError('STRAY', 'the branch changed while its blocks were read');
  const told = untold(kept, blocks);
  return { changes: told.map(({ hash }) => `"${hash}"`), trail: extendTrail(kept, told, last) };
}

function namesOf(branch: BranchReader): Pick<LogWalkParts, 'known' | 'hashAt'> {
  return { known: (number) => branch.known(number), hashAt: (number) => branch.hashAt(number) };
}

const NO_LOGS: LogWalk = { blocks: [], reached: -1, failure: undefined };

/** What of the trail holds on this branch. @throws ChainReadError */
export async function splitBy(branch: BranchReader, trail: Trail): Promise<Split> {
  const ours = await branch.ours(trail.blocks);
  return splitTrail(trail, ({ hash }) => ours.has(hash));
}

async function nameOf(branch: BranchReader, kept: readonly ToldBlock[], reached: number): Promise<BlockName> {
  const known = kept.findLast(({ number }) => number === reached);
  // Below the first of all blocks there is none that could be named.
  const number = Math.max(reached, 0);
  return known ?? { number, hash: await branch.hashAt(number) };
}
