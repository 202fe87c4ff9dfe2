import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AnvilError } from './anvil-error';

/** npm package that carries the executable, by `<platform>-<arch>` as Node names them. */
const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@foundry-rs/anvil-linux-amd64',
  'linux-arm64': '@foundry-rs/anvil-linux-arm64',
  'darwin-x64': '@foundry-rs/anvil-darwin-amd64',
  'darwin-arm64': '@foundry-rs/anvil-darwin-arm64',
  'win32-x64': '@foundry-rs/anvil-win32-amd64',
};

/**
 * Path of the anvil executable for this machine. The launcher script of `@foundry-rs/anvil` is passed by: it would be a
 * second process between us and the node, and signals would reach the wrong one.
 *
 * @throws AnvilError `NO_BINARY` where no package is published or npm left the optional package out.
 */
export function anvilBinary(platform: string = process.platform, arch: string = process.arch): string {
  const name = PACKAGES[`${platform}-${arch}`];
  if (name === undefined) {
    const known = Object.keys(PACKAGES).join(', ');
    throw new AnvilError('NO_BINARY', `anvil is not published for ${platform}-${arch}, only for ${known}`);
  }
  const binary = join(packageFolder(name), 'bin', platform === 'win32' ? 'anvil.exe' : 'anvil');
  if (!existsSync(binary)) throw new AnvilError('NO_BINARY', `${name} is installed without its executable; run npm ci`);
  return binary;
}

function packageFolder(name: string): string {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch (cause) {
    const hint = 'run npm ci without --omit=optional or --omit=dev';
    throw new AnvilError('NO_BINARY', `${name} is not installed; ${hint}`, { cause });
  }
}
