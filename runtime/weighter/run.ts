import { now } from '../util/clock';
import { runLoop } from '../util/loop';
import type { RoundReport } from './round-report';
import type { Weighter } from './weighter';

export interface RunOptions {
  /** From the start of one round to that of the next. */
  readonly intervalMs: number;
  readonly onReport: (report: RoundReport) => void;
  /** A defect of ours: the next round may be spared it. */
  readonly onDefect: (error: unknown) => void;
}

/** How often HAProxy is asked between rounds whether it is still the same process, which costs it next to nothing. */
const REPAIR_MS = 1000;

/** Round after round until the signal is aborted. */
export async function run(weighter: Weighter, options: RunOptions, signal: AbortSignal): Promise<void> {
  const { intervalMs, onReport, onDefect } = options;
  const attempt = async (work: () => Promise<RoundReport | undefined>): Promise<void> => {
    try {
      const report = await work();
      if (report !== undefined && !signal.aborted) onReport(report);
    } catch (error) {
      onDefect(error);
    }
  };
  let roundAt = -Infinity;
  await runLoop(signal, async () => {
    if (now() - roundAt >= intervalMs) {
      roundAt = now();
      await attempt(() => weighter.round(signal));
    } else {
      await attempt(() => weighter.repair(signal));
    }
    // Again at once after a round that took longer than the interval.
    return Math.max(0, Math.min(REPAIR_MS, roundAt + intervalMs - now()));
  });
}
