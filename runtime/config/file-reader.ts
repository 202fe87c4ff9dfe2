import { statSync } from 'node:fs';
import { readUtf8 } from './parse';

/**
 * Reads files as often as they are asked for. What comes through a pipe comes once: it is remembered. It is waited for
 * only while the program starts, for nobody is served meanwhile.
 */
export class FileReader {
  private readonly piped = new Map<string, string>();
  private mayWait = true;

  /** @throws Error of the system, or one of the code `IS_PIPE` for a pipe that was not read at the start */
  read(path: string): string {
    if (!isPipe(path)) return readUtf8(path);
    const known = this.piped.get(path);
    if (known !== undefined) return known;
    if (!this.mayWait) throw Object.assign(new Error('a pipe is read at the start only'), { code: 'IS_PIPE' });
    const content = readUtf8(path);
    this.piped.set(path, content);
    return content;
  }

  /** From now on no pipe is waited for. */
  started(): void {
    this.mayWait = false;
  }
}

/** Whether reading it may wait for somebody who writes; what is not there does not. */
export function isPipe(path: string): boolean {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats !== undefined && (stats.isFIFO() || stats.isCharacterDevice());
  } catch {
    return false;
  }
}
