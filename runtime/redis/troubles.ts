import type { RedisFailure, RedisFailureCode } from './failure';

/** How long nothing must have failed before it is told that all is well: at its limit Redis does and does not in turn. */
const QUIET_MS = 10_000;

export interface TroublesParts {
  /** Milliseconds of any clock that does not step backwards. */
  readonly now: () => number;
  readonly onTrouble: (failure: RedisFailure) => void;
  readonly onOver: () => void;
}

/**
 * What Redis does not do although it is there, told once for each reason, however many questions meet it. It is over when
 * the kinds of questions that failed are answered, others say nothing of them: who may not write may still read.
 */
export class Troubles {
  private readonly failing = new Set<string>();
  /** Reasons told since all was well. */
  private readonly told = new Set<RedisFailureCode>();
  private current: RedisFailureCode | undefined;
  private failedAt = 0;

  constructor(private readonly parts: TroublesParts) {}

  get code(): RedisFailureCode | undefined {
    return this.current;
  }

  failed(kind: string, failure: RedisFailure): void {
    this.failing.add(kind);
    this.failedAt = this.parts.now();
    this.current = failure.code;
    if (this.told.has(failure.code)) return;
    this.told.add(failure.code);
    this.parts.onTrouble(failure);
  }

  answered(kind: string): void {
    if (this.current === undefined) return;
    this.failing.delete(kind);
    if (this.failing.size > 0 || this.parts.now() - this.failedAt < QUIET_MS) return;
    this.current = undefined;
    this.told.clear();
    this.parts.onOver();
  }
}
