import { RedisFailure } from './failure';

/**
 * The work's end, or a TIMEOUT. An answer that has arrived but could not be read yet, because this process was busy,
 * still counts: what is in the sockets is read once more before the time is over.
 */
export function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const expire = (): void => reject(new RedisFailure('TIMEOUT'));
    const timer = setTimeout(() => setImmediate(expire), ms);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
