import { RedisFailure } from './failure';

/**
 * The work's end, or a TIMEOUT. Only Redis's own time counts: it begins when the question is written, which the client
 * library does at the end of this turn of the event loop, and an answer that has arrived while this process was busy is
 * read before the time is over.
 */
export function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let written: NodeJS.Immediate | undefined = setImmediate(() => {
      written = undefined;
      timer = setTimeout(() => setImmediate(expire), ms);
    });
    const expire = (): void => reject(new RedisFailure('TIMEOUT'));
    const end = (): void => {
      clearImmediate(written);
      clearTimeout(timer);
    };
    work.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
