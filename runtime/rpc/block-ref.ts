/** Which block. */
export type BlockName = Pick<BlockRef, 'number' | 'hash'>;

/** One block, as far as balancing needs to know it. */
export interface BlockRef {
  readonly number: number;
  /** 0x-prefixed, lower case. */
  readonly hash: string;
  readonly parentHash: string;
  /** Seconds since 1970, as the chain states it (yellow paper, block header `H_s`). */
  readonly timestamp: number;
}
