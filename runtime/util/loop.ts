/**
 * Runs `step` again and again, never two at once, until the signal is aborted. A step that throws ends the loop and
 * rejects it: what a step may survive it handles itself.
 *
 * @param step resolves with the milliseconds to wait before the next
 */
export async function runLoop(signal: AbortSignal, step: () => Promise<number>): Promise<void> {
  while (!signal.aborted) await sleep(await step(), signal);
}

/** Resolves after `ms`, or as soon as the signal is aborted; never rejects. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
