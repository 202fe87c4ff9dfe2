import { toQuantity } from '../rpc/block-param';
import { type Log, parseLogs } from '../rpc/log';
import { ChainReadError, type ChainSend, readChain } from './read-chain';
import type { ToldBlock } from './trail';

/** Which logs: the members of an eth_getLogs filter that do not name blocks. */
export interface LogMatch {
  readonly address?: string | readonly string[];
  readonly topics?: readonly (string | null | readonly string[])[];
}

export interface LogWalkParts {
  readonly send: ChainSend;
  /** Blocks one eth_getLogs asks for at most; at least 1. */
  readonly maxBlocks: number;
  /** The hash of the branch at a number, as far as it is known without asking. */
  readonly known: (number: number) => string | undefined;
  /** The same, asked where it is not known. @throws ChainReadError */
  readonly hashAt: (number: number) => Promise<string>;
}

export interface LogWalk {
  /** The blocks that have such logs, in order. */
  readonly blocks: readonly ToldBlock[];
  /** All up to this number was read, and its hash asked for where it was not known; `from - 1` where nothing was. */
  readonly reached: number;
  /** Why it ended early; undefined where it did not, or had enough for one answer. */
  readonly failure: ChainReadError | undefined;
}

/** Characters after which a walk pauses: the rest is for the next. */
const ENOUGH_CHARS = 8 * 1024 * 1024;

/**
 * Reads the logs of `from` … `to` in pieces. A piece that is refused, for its range or for its size, is halved down to one block;
 * what was read before a failure counts.
 */
export async function walkLogs(from: number, to: number, match: LogMatch, parts: LogWalkParts): Promise<LogWalk> {
  const blocks: ToldBlock[] = [];
  let size = parts.maxBlocks;
  let at = from;
  let chars = 0;
  while (at <= to && chars < ENOUGH_CHARS) {
    const end = Math.min(to, at + size - 1);
    try {
      const piece = await readPiece(at, end, match, parts);
      // While there is time: what was read up to a block without a name could not be told.
      await parts.hashAt(end);
      for (const block of piece) {
        blocks.push(block);
        for (const log of block.logs) chars += log.length;
      }
      at = end + 1;
    } catch (error) {
      if (!(error instanceof ChainReadError)) throw error;
      if (end === at || !isForSize(error)) return { blocks, reached: at - 1, failure: error };
      size = Math.ceil((end - at + 1) / 2);
    }
  }
  return { blocks, reached: at - 1, failure: undefined };
}

/** Whether less may be answered where this much was not. */
function isForSize({ code, outcome }: ChainReadError): boolean {
  if (code === 'TOO_LARGE') return true;
  return outcome?.kind === 'error' || (outcome?.kind === 'refused' && outcome.refused.reason === 'DEADLINE');
}

async function readPiece(
  from: number,
  to: number,
  match: LogMatch,
  { send, known }: Pick<LogWalkParts, 'send' | 'known'>,
): Promise<ToldBlock[]> {
  const range = { fromBlock: toQuantity(from), toBlock: toQuantity(to) };
  const logs = parseLogs(await readChain(send, 'eth_getLogs', [{ ...range, ...match }]));
  if (logs === undefined) throw new ChainReadError('BROKEN', 'eth_getLogs was answered with something else than logs');
  const blocks = byBlock(logs);
  for (const { number, hash } of blocks) {
    if (number < from || number > to) throw new ChainReadError('BROKEN', 'eth_getLogs told a log out of its range');
    if ((known(number) ?? hash) !== hash) throw new ChainReadError('STRAY', `a log is of another block ${number}`);
  }
  return blocks;
}

/** Logs put together by their blocks, in the order of the blocks; within one as they came. @throws ChainReadError */
export function byBlock(logs: readonly Log[]): ToldBlock[] {
  const blocks = new Map<number, { number: number; hash: string; logs: string[] }>();
  for (const { number, hash, text } of logs) {
    const block = blocks.get(number);
    if (block === undefined) blocks.set(number, { number, hash, logs: [text] });
    else if (block.hash === hash) block.logs.push(text);
    else throw new ChainReadError('STRAY', `logs of two different blocks ${number} were told at once`);
  }
  return [...blocks.values()].sort((a, b) => a.number - b.number);
}
