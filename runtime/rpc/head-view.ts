/** The chain as one message sees it, from its arrival to its answer. */
export interface HeadView {
  readonly number: number;
  readonly hash: string;
  /** The hash of the head's branch at this number, for the newest blocks as far as they were seen. */
  hashAt(number: number): string | undefined;
  /** Blocks at or below this number cannot be reorganised away; undefined where no node tells. */
  readonly finalized: number | undefined;
}
