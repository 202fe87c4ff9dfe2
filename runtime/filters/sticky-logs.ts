import { BranchReader } from '../chain/branch-reader';
import { byBlock } from '../chain/log-walk';
import { ChainReadError } from '../chain/read-chain';
import { extendTrail, type ToldBlock, type Trail, untold } from '../chain/trail';
import type { BlockName } from '../rpc/block-ref';
import type { HeadView } from '../rpc/head-view';
import { type Log, parseLog, parseLogs } from '../rpc/log';
import { advanceLogs, type AdvanceParts, splitBy } from './computed';
import { fits } from './criteria';
import type { FilterNodes } from './filter-nodes';
import type { LogFilter, NodeFilter } from './record';
import type { Step } from './step';

export interface StickyParts<C> extends AdvanceParts {
  readonly nodes: FilterNodes<C>;
  readonly caller: C;
  /** Logs that the node told a try that came too late. */
  readonly carried: readonly string[];
  /** Whether to who has this head there is nothing to tell, or it is not for it to tell. */
  readonly isSettled: (trail: Trail, head: HeadView) => boolean;
}

type StickyFilter = LogFilter & Required<Pick<LogFilter, 'node'>>;

/**
 * A poll of a filter that a node keeps. What the node tells counts where it fits our branch; wherever it may not be the
 * whole truth, the changes are computed, and those told already are known by the trail:
 *
 *     node's filter ──▶ fits the head's branch, no told block given up ──▶ told: `sticky`
 *           │                   no │
 *           │ no answer            ▼
 *           └──────────────▶ computed from `upTo` on; without an answer the node is lost
 */
export async function stickyLogs<C>(record: LogFilter, parts: StickyParts<C>): Promise<Step> {
  const { carried, isSettled } = parts;
  if (carried.length === 0 || !isSettled(record.trail, parts.head)) return tellNews(record, parts);
  // Who was faster has told more than this head has: seen from here that would be given up again.
  const head = record.node && (await raisedFor(carried.map(parseLog), record.node.name, parts));
  if (head === undefined || isSettled(record.trail, head)) return leave(record, carried);
  return tellNews(record, { ...parts, head });
}

async function tellNews<C>(record: LogFilter, parts: StickyParts<C>): Promise<Step> {
  const { nodes, carried } = parts;
  const { node, trail } = record;
  // Who was faster may have found the node lost.
  if (node === undefined) return compute(record, parts, carried);
  const stand = nodes.stand(node, parts.head);
  if (stand.kind === 'gone') return compute(record, parts, carried, true);
  // Until its filter is known to begin below what is news, it does not tell all of it.
  if (stand.kind === 'unsure' || trail.upTo < node.since) return compute(record, parts, carried);
  const answer = await nodes.changes(node, parts.caller);
  const logs = answer && parseLogs(answer);
  // One log that is not meant, and the id is of somebody else's filter by now.
  const isOurs = logs?.every((log) => fits(log, record.criteria));
  if (logs === undefined || !isOurs) return compute(record, parts, carried, true);
  const texts = [...carried, ...logs.filter(({ removed }) => !removed).map(({ text }) => text)];
  try {
    return await tellAsNode({ ...record, node }, { logs, texts, stand: stand.block }, parts);
  } catch (error) {
    // The node does not tell it again.
    if (!(error instanceof ChainReadError)) throw error;
    return compute(record, parts, texts);
  }
}

interface NodesWord {
  /** What the node told now. */
  readonly logs: readonly Log[];
  /** What it told now or before that was not told on yet, but for what it took back. */
  readonly texts: readonly string[];
  /** The newest of our blocks that it had before. */
  readonly stand: BlockName;
}

/** @throws ChainReadError */
async function tellAsNode<C>(record: StickyFilter, word: NodesWord, parts: StickyParts<C>): Promise<Step> {
  const { node, trail } = record;
  const { logs, texts, stand } = word;
  const live = texts.map(parseLog).filter((log) => log !== undefined);
  const head = await raisedFor(live, node.name, parts);
  if (head === undefined) return compute(record, parts, texts);
  const branch = new BranchReader(head, parts.send);
  const { kept, orphaned } = await splitBy(branch, trail);
  const isOther = ({ number, hash }: BlockName): boolean => (branch.known(number) ?? hash) !== hash;
  // Where blocks were given up nodes differ in what they tell.
  if (orphaned.length > 0 || live.some(isOther) || isDivided(live) || tellsOtherwise(logs, kept)) {
    return compute(record, { ...parts, head }, texts);
  }
  const told = untold(kept, byBlock(within(live, record)));
  const { seen } = node;
  const isPassed = seen !== undefined && seen.number > trail.upTo && !isOther(seen);
  const reached = isPassed ? seen : (kept.findLast(({ number }) => number <= trail.upTo) ?? stand);
  return {
    changes: told.flatMap((block) => block.logs),
    next: { ...record, node: { ...node, seen: stand }, trail: extendTrail(kept, told, reached) },
    how: 'sticky',
    carried: texts,
  };
}

/** Without the node's word. What it told in vain is read again, wherever others have come to meanwhile. */
async function compute<C>(
  record: LogFilter,
  parts: StickyParts<C>,
  carried: readonly string[],
  lost = false,
): Promise<Step> {
  const left = leave(record, carried, lost);
  const { trail: from } = left.next;
  try {
    const { changes, trail } = await advanceLogs(from, record.criteria, parts);
    return { ...left, changes, next: { ...left.next, trail } };
  } catch (error) {
    if (!(error instanceof ChainReadError) || (carried.length === 0 && !lost)) throw error;
    return left;
  }
}

/**
 * Tells nothing, and leaves what the node told to be read by a later poll. The node does not tell it again, so it counts
 * again above that only, and is not asked before all up to there is read.
 */
function leave(record: LogFilter, carried: readonly string[], lost = false): Step & { readonly next: LogFilter } {
  const { node, ...others } = record;
  const { least, newest } = rangeOf(carried);
  const keeping = lost || node === undefined ? {} : { node: { ...unasked(node), since: Math.max(node.since, newest) } };
  const trail = { ...record.trail, upTo: Math.min(record.trail.upTo, least - 1) };
  return { changes: [], next: { ...others, ...keeping, trail }, how: 'computed', carried, ...(lost && { lost }) };
}

/** The numbers of the first and the last block that logs are of. */
function rangeOf(texts: readonly string[]): { least: number; newest: number } {
  const numbers = texts.flatMap((text) => parseLog(text)?.number ?? []);
  return {
    least: numbers.reduce((a, b) => Math.min(a, b), Infinity),
    newest: numbers.reduce((a, b) => Math.max(a, b), -Infinity),
  };
}

function unasked({ name, id, mark, madeAt }: NodeFilter): NodeFilter {
  return { name, id, mark, madeAt };
}

/** A head that has all these logs; undefined where they are above any that is believed. */
async function raisedFor<C>(logs: readonly (Log | undefined)[], node: string, { head, nodes }: StickyParts<C>) {
  const newest = logs.reduce<Log | undefined>(
    (best, log) => ((log?.number ?? -1) > (best?.number ?? -1) ? log : best),
    undefined,
  );
  if (newest === undefined || newest.number <= head.number) return head;
  const raised = await nodes.raise(node, Buffer.from(`[${newest.text}]`));
  return raised !== undefined && raised.number >= newest.number ? raised : undefined;
}

/** Whether these are logs of two branches. */
function isDivided(logs: readonly Log[]): boolean {
  const hashes = new Map(logs.map(({ number, hash }) => [number, hash]));
  return logs.some(({ number, hash }) => hashes.get(number) !== hash);
}

/** Whether the node takes back what we hold to be of the chain. */
function tellsOtherwise(logs: readonly Log[], kept: readonly ToldBlock[]): boolean {
  const ours = new Set(kept.filter((block) => block.logs.length > 0).map(({ hash }) => hash));
  return logs.some(({ removed, hash }) => removed && ours.has(hash));
}

/** Logs within the criteria's bounds, which the node does not know. */
function within(logs: readonly Log[], { criteria, trail }: LogFilter): Log[] {
  const { from = 0, to = Infinity } = criteria;
  // Of blocks before the trail it is not known any more what was told: they were told.
  const oldest = trail.blocks[0]?.number ?? 0;
  return logs.filter(({ number }) => number > oldest && number >= from && number <= to);
}
