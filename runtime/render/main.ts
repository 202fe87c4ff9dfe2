import { text } from 'node:stream/consumers';
import { errorCode } from '../config/error-code';
import { FileReader } from '../config/file-reader';
import { HaproxySocket } from '../haproxy/socket';
import { createLogger } from '../telemetry/logger';
import { now } from '../util/clock';
import { fail, stopSignal } from '../util/program';
import { CfgFile, type Put } from './cfg-file';
import { FollowLog } from './follow-log';
import { Follower } from './follower';
import { type Inputs, readInputs } from './inputs';
import { Master } from './master';
import { HELP, type Options, parseOptions } from './options';

/** Told to the process that started us, if it listens: haproxy.cfg is there. */
export interface RenderedMessage {
  readonly kind: 'rendered';
}

/** Milliseconds the master may take to answer; not to load, which is waited for apart. */
const SOCKET_TIMEOUT_MS = 2000;

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) {
    process.stdout.write(HELP);
    return;
  }
  const stop = stopSignal();
  // Nothing is half done then: what is written is written in one go.
  if (!options.watch) stop.addEventListener('abort', () => process.exit(0));
  const { config, secrets, out } = options;
  const configText = config === '-' ? await text(process.stdin) : undefined;
  const reader = new FileReader();
  const read = (): Inputs =>
    readInputs({ config, secrets, env: process.env, reader, ...(configText !== undefined && { configText }) });
  const inputs = read();
  reader.started();
  if (!inputs.ok) return fail(2, inputs.error.message);
  if (out === undefined) {
    const valid = `valid: ${inputs.nodes} ${inputs.nodes === 1 ? 'node' : 'nodes'} behind HAProxy\n`;
    process.stdout.write(valid, () => process.exit(0));
    return;
  }
  const file = new CfgFile(out, Date.now);
  const log = createLogger('info');
  const { cfg, before, changed } = put(file, inputs.text);
  log.info(
    { nodes: inputs.nodes, revision: cfg.revision },
    changed ? 'haproxy.cfg written' : 'haproxy.cfg is as it was',
  );
  await tell();
  if (options.watch) {
    const master = masterOf(options);
    const follower = new Follower({ read, file, master, log: new FollowLog(log), clock: now });
    await follower.run({ text: inputs.text, files: inputs.files, before }, stop);
    log.info('stopped');
  }
  process.exit(0);
}

function readOptions(): Options | undefined {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    return fail(2, `${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  }
}

function put(file: CfgFile, content: string): Put {
  try {
    return file.put(content);
  } catch (error) {
    return fail(1, `${file.path} cannot be written: ${errorCode(error)}`);
  }
}

function masterOf({ masterSocket }: Options): Master | undefined {
  if (masterSocket === undefined) return undefined;
  return new Master(new HaproxySocket({ address: masterSocket, timeoutMs: SOCKET_TIMEOUT_MS }));
}

/** Resolves when it is on its way, since what follows may be the end of the process. */
function tell(): Promise<void> {
  return new Promise((resolve) => {
    if (process.send) process.send({ kind: 'rendered' } satisfies RenderedMessage, () => resolve());
    else resolve();
  });
}

void main();
