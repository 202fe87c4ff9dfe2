import { RedisFailure } from './failure';

/** How long nothing is asked after a question that was late, before Redis is tried: twice as long each time. */
const PAUSE_MS = 100;
const MAX_PAUSE_MS = 2000;

export interface BreakerParts {
  /** Asks Redis something of our own, for which nobody waits. @throws RedisFailure */
  readonly probe: (deadlineMs: number) => Promise<unknown>;
  /** Questions may be sent again. */
  readonly onResume: () => void;
}

/**
 * Whether Redis is fast enough to be asked. A question that was late is the only one, with those that were under way:
 *
 *     asking ── a question is late ──▶ pausing ── 100 ms, then longer ──▶ a question of our own ── in time ──▶ asking
 *                                        ▲                                         │ late
 *                                        └─────────────────────────────────────────┘
 */
export class Breaker {
  private misses = 0;
  private missedAt = Number.NEGATIVE_INFINITY;
  /** The deadline that was missed; undefined while questions are sent. */
  private pausedFor: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Tells pauses apart: what is found out in an older one does not count. */
  private pauses = 0;

  constructor(private readonly parts: BreakerParts) {}

  get isPausing(): boolean {
    return this.pausedFor !== undefined;
  }

  /** A question that was sent at `sentAt` was not answered within its deadline. */
  late(deadlineMs: number, sentAt: number): void {
    // Those that were under way with the first one that was late tell nothing new.
    if (sentAt >= this.missedAt) this.pause(deadlineMs);
  }

  inTime(): void {
    this.misses = 0;
  }

  /** Redis is back, or another one, and answers a simple question within this time. */
  back(answerMs: number): void {
    if (this.pausedFor === undefined) return;
    if (answerMs < this.pausedFor) this.resume();
    else this.pause(this.pausedFor);
  }

  /** Nothing is tried any more. */
  close(): void {
    clearTimeout(this.timer);
  }

  private pause(deadlineMs: number): void {
    this.pauses++;
    this.missedAt = performance.now();
    this.pausedFor = deadlineMs;
    clearTimeout(this.timer);
    const ms = Math.min(MAX_PAUSE_MS, PAUSE_MS * 2 ** this.misses++);
    this.timer = setTimeout(() => void this.probe(deadlineMs), ms).unref();
  }

  private async probe(deadlineMs: number): Promise<void> {
    const pause = this.pauses;
    const wasLate = await this.parts.probe(deadlineMs).then(
      () => false,
      (error: unknown) => !(error instanceof RedisFailure) || NO_ANSWER.has(error.code),
    );
    if (pause !== this.pauses) return;
    if (wasLate) this.pause(deadlineMs);
    else this.resume();
  }

  private resume(): void {
    this.pauses++;
    this.pausedFor = undefined;
    clearTimeout(this.timer);
    this.parts.onResume();
  }
}

/** A refusal is an answer too. */
const NO_ANSWER: ReadonlySet<string> = new Set(['NONE', 'DOWN', 'TIMEOUT', 'LOST']);
