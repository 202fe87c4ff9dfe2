import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Polls until it is so.
 *
 * @throws Error when it is not within `timeoutMs`: a wait without an end keeps its test's process, and with it the whole
 *   run, from ever ending
 */
export async function eventually(
  isSo: () => boolean | Promise<boolean>,
  { timeoutMs = 15_000, what = 'it' }: { readonly timeoutMs?: number; readonly what?: string } = {},
): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error(`${what} did not come to be within ${timeoutMs} ms`);
    await sleep(10);
  }
}
