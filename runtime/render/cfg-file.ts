import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** haproxy.cfg as it stands in the file: what was rendered, and when. */
export interface Cfg {
  readonly text: string;
  /** What `show info` of a worker that runs this text calls `description`. */
  readonly revision: string;
}

export interface Put {
  readonly cfg: Cfg;
  readonly before: Cfg | undefined;
  readonly changed: boolean;
}

/** Its group is HAProxy's; nobody else reads the keys. */
const MODE = 0o640;

/**
 * The file of haproxy.cfg. Below the rendered text it holds a revision, which the running HAProxy tells: so what runs can
 * be compared with what is written, whoever started or reloaded it. It is a time and no hash, which would tell of the
 * keys.
 */
export class CfgFile {
  /** @param clock milliseconds since 1970 */
  constructor(
    readonly path: string,
    private readonly clock: () => number,
  ) {}

  /** What is there; undefined where there is nothing, or nothing of ours. */
  read(): Cfg | undefined {
    let content: string;
    try {
      content = readFileSync(this.path, 'utf8');
    } catch {
      return undefined;
    }
    const [, text, revision] = WRITTEN.exec(content) ?? [];
    return text === undefined || revision === undefined ? undefined : { text, revision };
  }

  /**
   * Makes the file hold this text. One that does already is left alone.
   *
   * @throws Error of the system when it cannot be written; then it is as it was
   */
  put(text: string): Put {
    const before = this.read();
    if (before?.text === text) {
      chmodSync(this.path, MODE);
      return { cfg: before, before, changed: false };
    }
    const cfg = { text, revision: `rendered ${new Date(this.clock()).toISOString()}` };
    this.write(cfg);
    return { cfg, before, changed: true };
  }

  /** Replaces the file: whoever reads it gets the old one or the new one. */
  write({ text, revision }: Cfg): void {
    const temporary = join(dirname(this.path), `.${basename(this.path)}.${randomBytes(6).toString('hex')}`);
    try {
      const file = openSync(temporary, 'wx', MODE);
      try {
        // Whatever the umask.
        fchmodSync(file, MODE);
        writeFileSync(file, `${text}${HEAD}${revision}${TAIL}`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, this.path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }
}

const HEAD = "\nglobal\n    description '";
const TAIL = "'\n";
const WRITTEN = /^([^]*)\nglobal\n {4}description '(rendered [\dTZ:.-]+)'\n$/;
