import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ChainConductor } from '../support/chain-conductor';
import { launchProgram, type LaunchedProgram } from '../support/program-process';
import type { ListeningMessage } from '../../runtime/proxy/main';

const SMOKE = join(__dirname, '..', '..', 'bin', 'smoke.mjs');
const CHAIN_ID = 31337;

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

const children: ChildProcess[] = [];

/** The program that the deployment runs, as it is; `output` is told what it says while it runs. */
function smoke(args: readonly string[], onOutput: (output: string) => void = () => undefined): Promise<Outcome> {
  const child = spawn(process.execPath, [SMOKE, ...args]);
  children.push(child);
  let output = '';
  const take = (chunk: string): void => {
    output += chunk;
    onOutput(output);
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

describe('the smoke test', () => {
  let chain: ChainConductor;
  const running: LaunchedProgram[] = [];

  beforeAll(async () => {
    chain = await ChainConductor.start({ nodes: 1 });
    await chain.mine(3);
  });

  afterAll(async () => {
    // One that did not end would keep this from ending.
    for (const child of children) child.kill('SIGKILL');
    for (const { child, exited } of running) {
      child.kill('SIGTERM');
      await exited;
    }
    await chain.close();
  });

  /** A proxy that was built of this revision. */
  async function start(revision: string, port = 0): Promise<{ program: LaunchedProgram; port: number }> {
    const config = {
      listen: { port },
      admin: { port: 0 },
      chains: { dev: { chainId: CHAIN_ID, nodes: [{ name: 'a', url: chain.nodes[0]?.url }] } },
    };
    const program = launchProgram('proxy', ['--config', '-'], JSON.stringify(config), { RPC_REVISION: revision });
    running.push(program);
    const { port: taken } = await new Promise<ListeningMessage>((resolve) =>
      program.child.once('message', (message) => resolve(message as ListeningMessage)),
    );
    return { program, port: taken };
  }

  const asked = (port: number, ...more: string[]): string[] => [
    '--url',
    `http://127.0.0.1:${port}`,
    ...(more.includes('--chain-id') ? [] : ['--chain-id', String(CHAIN_ID)]),
    ...more,
  ];

  it('is passed by the version that was asked for', async () => {
    const { port } = await start('abc123');
    expect(await smoke(asked(port, '--version', '0.1.0+abc123', '--rounds', '3'))).toEqual({
      code: 0,
      output: 'good: 3 times in a row\n',
    });
  });

  it('waits for the new version, through the time when nobody answers', async () => {
    const { program, port } = await start('old');
    let replaced: Promise<unknown> | undefined;
    const outcome = await smoke(
      asked(port, '--version', '0.1.0+new', '--rounds', '3', '--deadline', '60'),
      (output) => {
        if (!output.includes('version 0.1.0+old answers') || replaced !== undefined) return;
        program.child.kill('SIGTERM');
        replaced = program.exited.then(() => start('new', port));
      },
    );
    await replaced;
    expect(outcome).toMatchObject({ code: 0 });
    expect(outcome.output).toMatch(
      /^not yet: version 0\.1\.0\+old answers, not 0\.1\.0\+new\n[^]*good: 3 times in a row\n$/,
    );
  }, 90_000);

  it.each([
    ['another version', ['--version', '0.1.0+other'], 'version 0.1.0+abc123 answers, not 0.1.0+other'],
    ['another chain', ['--chain-id', '1'], 'eth_chainId answered 0x7a69, not 0x1'],
  ])('is not passed by %s', async (_, args, why) => {
    const { port } = await start('abc123');
    const { code, output } = await smoke(asked(port, ...args, '--deadline', '1'));
    expect(code).toBe(1);
    expect(output).toContain(`not within 1 s, the last time: ${why}`);
  });

  it('is not passed where nobody listens', async () => {
    const { code, output } = await smoke(asked(1, '--deadline', '1'));
    expect(code).toBe(1);
    expect(output).toContain('ECONNREFUSED');
  });

  // A socket that is never silent: only the whole answer has a limit.
  it('is not passed, and ends, where an answer does not end', async () => {
    const server = createServer((_, response) => {
      const dripping = setInterval(() => response.write(' '), 100);
      response.on('close', () => clearInterval(dripping));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { code, output } = await smoke(asked(port, '--deadline', '1'));
    server.close();
    expect(code).toBe(1);
    expect(output).toContain('no whole answer within');
  });

  it.each([
    [['--url', 'nothing', '--chain-id', '1'], /Invalid URL/],
    [['--url', 'http://127.0.0.1'], /--chain-id must be a whole number of at least 1/],
    [['--url', 'http://127.0.0.1', '--chain-id', '1', '--deadline', 'soon'], /--deadline must be/],
    [['--what'], /Unknown option/],
  ])('refuses %j', async (args, why) => {
    const { code, output } = await smoke(args);
    expect(code).toBe(2);
    expect(output).toMatch(why);
  });
});
