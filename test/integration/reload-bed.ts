import { randomBytes } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProxyProcess } from '../support/proxy-process';
import { type Behaviour, ordinary, ScriptedNode, type ScriptedNodeOptions } from '../support/scripted-node';

export type FileConfig = Record<string, unknown>;

/** A node as the configuration names it. */
export interface NodeEntry extends Record<string, unknown> {
  readonly name: string;
}

/**
 * A proxy that follows a file, in a folder of its own, and scripted nodes.
 *
 * @example
 * const bed = await ReloadBed.start([a, b]);
 * await bed.put(oneChain([a]));            // resolves when it is in force
 * await bed.close();
 */
export class ReloadBed {
  proxy!: ProxyProcess;
  readonly folder = mkdtempSync(join(tmpdir(), 'reload-'));
  readonly file = join(this.folder, 'config.yaml');
  private readonly nodes: ScriptedNode[] = [];

  async start(config: FileConfig, env: NodeJS.ProcessEnv = {}): Promise<void> {
    this.write(config);
    this.proxy = await ProxyProcess.startFile(this.file, env);
  }

  /** Of one network: the same blocks at the same heights. */
  async node(name: string, options: ScriptedNodeOptions = {}): Promise<ScriptedNode> {
    const node = await ScriptedNode.start({ name, now: () => STARTED_AT, ...options });
    this.nodes.push(node);
    return node;
  }

  /** In one step, as editors do. */
  write(config: FileConfig | string, file = this.file): void {
    writeFileSync(`${file}.new`, typeof config === 'string' ? config : JSON.stringify(config));
    renameSync(`${file}.new`, file);
  }

  /** Resolves with the log line that tells of it. */
  async put(config: FileConfig): Promise<Record<string, unknown>> {
    const before = this.proxy.logged('configuration applied').length;
    this.write(config);
    return this.proxy.untilLogged('configuration applied', before + 1);
  }

  /** Resolves with the problems that are told. */
  async putBroken(config: FileConfig | string): Promise<readonly string[]> {
    const before = this.proxy.logged('configuration refused').length;
    this.write(config);
    const line = await this.proxy.untilLogged('configuration refused', before + 1);
    return line['problems'] as readonly string[];
  }

  async close(): Promise<void> {
    if (this.proxy as ProxyProcess | undefined) await this.proxy.stop();
    await Promise.all(this.nodes.map((node) => node.close()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const STARTED_AT = Date.now();

export const ANY_PORT = { listen: { port: 0 }, admin: { port: 0 } };

export function entry({ name, url }: ScriptedNode, more: Record<string, unknown> = {}): NodeEntry {
  return { name, url, ...more };
}

/** One chain, `main`, of these nodes. */
export function oneChain(nodes: readonly NodeEntry[], more: FileConfig = {}, chain: FileConfig = {}): FileConfig {
  return { ...ANY_PORT, ...more, chains: { main: { chainId: 1337, nodes, ...chain } } };
}

/** Answers that are given when they are released. */
export function heldAnswers(): { readonly behaviour: Behaviour; readonly release: () => void } {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  return {
    behaviour: async (exchange) => {
      await released;
      await ordinary()(exchange);
    },
    release,
  };
}

export function anyAddress(): string {
  return `0x${randomBytes(20).toString('hex')}`;
}
