import type { Trail } from '../chain/trail';
import type { BlockName } from '../rpc/block-ref';
import type { LogCriteria } from './criteria';

/** A filter as it is kept: what it is about, and what was told. A poll makes the next one of it. */
export type FilterRecord = LogFilter | BlockFilter | PendingFilter;

export type FilterKind = FilterRecord['kind'];

export interface LogFilter {
  readonly kind: 'logs';
  readonly revision: Revision;
  readonly criteria: LogCriteria;
  readonly trail: Trail;
  /** The filter of a node that is asked first; undefined where changes are computed. */
  readonly node?: NodeFilter & {
    /** It tells of all blocks above this number. */
    readonly since: number;
    /**
     * The block the node had before it was asked last. A node may take a moment to tell what it has, so that only the
     * poll after is sure to have had all up to there; undefined where it was not asked since the trail was computed.
     */
    readonly seen?: BlockName;
  };
}

export interface BlockFilter {
  readonly kind: 'blocks';
  readonly revision: Revision;
  readonly trail: Trail;
}

export interface PendingFilter {
  readonly kind: 'pending';
  readonly revision: Revision;
  /** Whole transactions are told, not their hashes only. */
  readonly whole: boolean;
  readonly node: NodeFilter;
  /** The beginnings of the hashes told last, oldest first. */
  readonly told: readonly string[];
}

/** A filter that a node keeps. Its id means nothing to any other node. */
export interface NodeFilter {
  readonly name: string;
  readonly id: string;
  /** Which node it was: another may have come by its name. */
  readonly mark: string;
  /** Epoch milliseconds before it was made: a node that was down since has forgotten it. */
  readonly madeAt: number;
}

/** Which of two records of a filter is the later one, and whether they are the same. */
export interface Revision {
  readonly number: number;
  /** Chosen at random: two processes may have gone on from the same record while Redis was away. */
  readonly mark: string;
}

/** @param randomHex so many bytes, in hexadecimal digits */
export function nextRevision(before: Revision | undefined, randomHex: (bytes: number) => string): Revision {
  return { number: (before?.number ?? 0) + 1, mark: randomHex(4) };
}

export function isSameRevision(a: Revision, b: Revision): boolean {
  return a.number === b.number && a.mark === b.mark;
}
