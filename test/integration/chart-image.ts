import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { IMAGE_PROGRAMS, IMAGE_USER } from '../../runtime/contract/images';
import { asUser } from './running-container';

const ROOT = join(__dirname, '..', '..');

/**
 * What a chart's containers find in our image, in a folder that the image's user may read, which may not see the checkout:
 * `node`, and one file a program.
 */
export class ChartImage {
  private constructor(
    private readonly folder: string,
    private readonly node: string,
  ) {}

  static async make(): Promise<ChartImage> {
    const folder = mkdtempSync(join(tmpdir(), 'image-'));
    chmodSync(folder, 0o755);
    await build({
      entryPoints: Object.keys(IMAGE_PROGRAMS).map((name) => ({
        in: join(ROOT, 'runtime', name, 'main.ts'),
        out: join('image', 'app', name),
      })),
      outdir: folder,
      bundle: true,
      platform: 'node',
      target: 'node20',
      external: ['supports-color'],
      logLevel: 'error',
    });
    // As far above as it is above the source: the proxy tells its version.
    copyFileSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
    return new ChartImage(folder, nodeFor(folder));
  }

  /** `node /app/proxy.js` as it is called here, with what Node.js itself is told between the two. */
  commandOf(command: readonly string[]): string[] {
    const [program = '', ...rest] = command;
    const file = rest.at(-1) ?? '';
    const isProgram = (Object.values(IMAGE_PROGRAMS) as string[]).includes(file);
    if (program !== 'node' || !isProgram) throw new Error(`${command.join(' ')} is not in our image`);
    return [this.node, ...rest.slice(0, -1), join(this.folder, 'image', file)];
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** This process's own, or a copy, where it is in a folder that only its owner may see. */
function nodeFor(folder: string): string {
  const [program, ...args] = [...asUser(IMAGE_USER, IMAGE_USER), process.execPath, '--version'];
  if (spawnSync(program, args).status === 0) return process.execPath;
  const copy = join(folder, 'node');
  copyFileSync(process.execPath, copy);
  chmodSync(copy, 0o755);
  return copy;
}
