import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { assertRoot, debianRoot } from './debian-root';

const REPOSITORY = join(__dirname, '..', '..');
/** The name runtime/Dockerfile builds on. */
const BASE = 'docker.io/library/node:24-trixie-slim';
const IMAGE = 'eth-rpc-balancer:test';
const NPM = '11';
const run = promisify(execFile);

/** What an image says of how it is run. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd: readonly string[];
}

/**
 * runtime/Dockerfile built for real, without Docker and without its registry: buildah runs every line of it, on a
 * stand-in for `node:24-trixie-slim`.
 *
 * The stand-in is Debian trixie with a real Node.js 24 (from npm's registry) and npm, where the official image has them
 * and with its entry point; not the official image's bytes.
 */
export class ImageBuild {
  private constructor(
    private readonly folder: string,
    readonly config: ImageConfig,
    /** The file system of a container of it. */
    readonly root: string,
    /** That of what it was built on. */
    readonly base: string,
  ) {}

  static async make(): Promise<ImageBuild> {
    assertRoot('buildah');
    const packages = ['ca-certificates', 'libstdc++6'];
    const base = await debianRoot('node24', { packages, finish: addNode, edition: 1 });
    const folder = mkdtempSync(join(tmpdir(), 'image-'));
    try {
      const buildah = buildahIn(folder);
      const blank = await buildah('from', 'scratch');
      await buildah('add', '--quiet', blank, base, '/');
      await buildah('config', '--entrypoint', '["docker-entrypoint.sh"]', '--cmd', 'node', blank);
      await buildah('commit', '--quiet', blank, BASE);
      await buildah('rm', blank);
      await buildah(
        'build',
        '--pull-never',
        ...(await npmArguments(folder)),
        ...['-f', 'runtime/Dockerfile', '-t', IMAGE, '.'],
      );
      const { OCIv1 } = JSON.parse(await buildah('inspect', '--type', 'image', IMAGE)) as OciInspection;
      const root = await buildah('mount', await buildah('from', '--pull-never', IMAGE));
      return new ImageBuild(folder, OCIv1.config, root, base);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** The paths that a build gets to see. */
  async context(): Promise<string[]> {
    const buildah = buildahIn(this.folder);
    const file = join(this.folder, 'Dockerfile.context');
    writeFileSync(file, 'FROM scratch\nCOPY . /\n');
    await buildah('build', '--quiet', '-f', file, '-t', 'context', '.');
    return readdirSync(await buildah('mount', await buildah('from', '--pull-never', 'context')), {
      recursive: true,
      encoding: 'utf8',
    });
  }

  async remove(): Promise<void> {
    await buildahIn(this.folder)('umount', '--all');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

interface OciInspection {
  readonly OCIv1: { readonly config: ImageConfig };
}

/** buildah with all it keeps in one folder. */
function buildahIn(folder: string): (command: string, ...args: readonly string[]) => Promise<string> {
  const store = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  const env = { ...process.env, BUILDAH_ISOLATION: 'chroot' };
  return async (command, ...args) => {
    const options = { cwd: REPOSITORY, env, maxBuffer: 64 * 1024 * 1024 };
    return (await run('buildah', [...store, command, ...args], options)).stdout.trim();
  };
}

/** npm inside the build goes where this machine's npm goes, and trusts whom this machine's Node.js trusts. */
async function npmArguments(folder: string): Promise<string[]> {
  const npmrc = join(folder, 'npmrc');
  writeFileSync(npmrc, `registry=${(await run('npm', ['config', 'get', 'registry'], { cwd: REPOSITORY })).stdout}`);
  const ca = process.env['NODE_EXTRA_CA_CERTS'];
  const trust = ['--secret', `id=ca,src=${ca}`, '--build-arg', 'NODE_EXTRA_CA_CERTS=/run/secrets/ca'];
  return ['--secret', `id=npmrc,src=${npmrc}`, ...(ca === undefined ? [] : trust)];
}

/** As the official image: node and npm under /usr/local, and a script in front of them. */
async function addNode(root: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'node24-'));
  try {
    const packages = [`node-linux-${process.arch}@24`, `npm@${NPM}`];
    await run('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', ...packages]);
    const local = join(root, 'usr', 'local');
    const files = [
      [`node-linux-${process.arch}/bin/node`, 'bin/node'],
      ['npm', 'lib/node_modules/npm'],
    ] as const;
    for (const [from, to] of files) {
      mkdirSync(dirname(join(local, to)), { recursive: true });
      cpSync(join(folder, 'node_modules', from), join(local, to), { recursive: true });
    }
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin', 'npm'));
    writeFileSync(join(local, 'bin', 'docker-entrypoint.sh'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
