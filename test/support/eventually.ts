import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Polls until it is so; how fast it must be is judged by those who ask.
 *
 * @throws Error with what `describe` tells when it is not within `timeoutMs`: a wait without an end keeps its test's
 *   process, and with it the whole run, from ever ending
 */
export async function eventually(
  isSo: () => boolean | Promise<boolean>,
  describe: () => string = () => 'what was waited for',
  timeoutMs = 15_000,
): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${timeoutMs} ms: ${describe()}`);
    await sleep(10);
  }
}
