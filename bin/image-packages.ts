import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** What the image's build installs: what the programs import, and the bundler; nothing that only tests or synthesis use. */
export interface ImagePackages {
  readonly 'package.json': string;
  readonly 'package-lock.json': string;
}

interface LockEntry {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const ROOT = join(__dirname, '..');
export const FOLDER = join(ROOT, 'runtime', 'image');
const BUNDLER = 'esbuild';

/**
 * The part of package.json and package-lock.json that reaches the image. `runtime/image/` holds a copy, made by
 * `npx tsx bin/image-packages.ts`, and a test compares them: so the build context, and with it the image's name, changes
 * only when the image does, not with every package of the infrastructure.
 */
export async function imagePackages(): Promise<ImagePackages> {
  const { name, version, dependencies, devDependencies } = readJson('package.json') as PackageFile;
  const versions = { ...dependencies, ...devDependencies };
  const names = [...(await importedPackages()), BUNDLER].sort();
  const chosen = Object.fromEntries(names.map((one) => [one, versionOf(one, versions)]));
  const manifest = { name, version, private: true, dependencies: chosen };
  const { packages } = readJson('package-lock.json') as { packages: Readonly<Record<string, LockEntry>> };
  const { private: _, ...root } = manifest;
  const lock = {
    name,
    version,
    lockfileVersion: 3,
    requires: true,
    packages: { '': root, ...Object.fromEntries(reachable(names, packages)) },
  };
  return { 'package.json': toText(manifest), 'package-lock.json': toText(lock) };
}

/** The packages that files of the runtime name themselves, types aside. */
async function importedPackages(): Promise<string[]> {
  const runtime = join(ROOT, 'runtime');
  const { metafile } = await build({
    entryPoints: readdirSync(runtime)
      .map((folder) => join(runtime, folder, 'main.ts'))
      .filter((file) => existsSync(file)),
    absWorkingDir: ROOT,
    outdir: 'dist',
    bundle: true,
    platform: 'node',
    metafile: true,
    write: false,
  });
  const own = Object.entries(metafile.inputs).filter(([file]) => file.startsWith('runtime/'));
  const targets = own.flatMap(([, { imports }]) => imports.map(({ path }) => path));
  const names = targets.map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return [...new Set(names.filter((found) => found !== undefined))];
}

/** What these lead to, by the rules Node finds packages by; in the order of the lock. */
function reachable(
  names: readonly string[],
  packages: Readonly<Record<string, LockEntry>>,
): (readonly [string, LockEntry])[] {
  const found = new Set<string>();
  const visit = (from: string, name: string): void => {
    const path = nearest(from, name, packages);
    if (path === undefined || found.has(path)) return;
    found.add(path);
    const { dependencies, optionalDependencies } = packages[path] ?? {};
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) visit(path, next);
  };
  for (const name of names) visit('', name);
  return Object.entries(packages)
    .filter(([path]) => found.has(path))
    .map(([path, entry]) => [
      path,
      Object.fromEntries(Object.entries(entry).filter(([key]) => !key.startsWith('dev'))),
    ]);
}

function nearest(from: string, name: string, packages: Readonly<Record<string, LockEntry>>): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (path in packages) return path;
    if (folder === '') return undefined;
  }
}

function versionOf(name: string, versions: Readonly<Record<string, string>>): string {
  const version = versions[name];
  if (version === undefined) throw new Error(`runtime/ imports ${name}, which package.json does not name`);
  return version;
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
}

function toText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

if (require.main === module) {
  void imagePackages().then((files) => {
    for (const [file, text] of Object.entries(files)) writeFileSync(join(FOLDER, file), text as string);
  });
}
