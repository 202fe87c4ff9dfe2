import type { FilterRecord } from './record';

/** How the changes of a poll came about; `unchanged` where the head stood still, so that nobody was asked. */
export type PollHow = 'computed' | 'sticky' | 'unchanged';

/** What a poll comes to, if nobody else was faster. */
export interface Step {
  /** What to tell, each a JSON text, in order. */
  readonly changes: readonly string[];
  /** The record from then on, but for its revision; undefined where it stays as it is. */
  readonly next: FilterRecord | undefined;
  readonly how: PollHow;
  /** What a node told, which it does not tell again: if somebody else was faster, it is the next try's. */
  readonly carried: readonly string[];
  /** The filter lost its node. */
  readonly lost?: true;
}

export const UNCHANGED: Step = { changes: [], next: undefined, how: 'unchanged', carried: [] };
