// Asks a deployed endpoint what a client would, until it is the version that was deployed and answers as it should:
//
//     node bin/smoke.mjs --url https://rpc.example.com --chain-id 1 --version 0.1.0+3f2a91c --deadline 900
//
// `kubectl apply` and so `cdk deploy` end before the pods are replaced; this ends when they are. Exit codes: 0 it is so,
// 1 it was not before the deadline, 2 the command line is wrong.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const REQUEST_MS = 10_000;
/** Of the last request, however near the deadline is: it tells why. */
const LEAST_MS = 1_000;
const PAUSE_MS = 2_000;

const options = readOptions();
const until = Date.now() + options.deadline * 1000;
let good = 0;
let last = '';
// While pods are replaced old and new ones answer in turn: so many in a row, each on a connection of its own.
while (good < options.rounds) {
  const problem = await problemOf(options).catch((error) => `${error.code ?? error.name}: ${error.message}`);
  good = problem === undefined ? good + 1 : 0;
  if (problem !== undefined && problem !== last) console.log(`not yet: ${problem}`);
  last = problem ?? '';
  if (Date.now() >= until) fail(1, `not within ${options.deadline} s${last === '' ? '' : `, the last time: ${last}`}`);
  if (problem !== undefined) await sleep(PAUSE_MS);
}
console.log(`good: ${good} times in a row`);

/** The first thing that is not as it should be. */
async function problemOf({ url, chainId, version }) {
  const page = await exchange(url, 'GET');
  const shown = /<meta name="version" content="([^"]*)">/.exec(page.body)?.[1];
  if (shown === undefined) return `GET / answered ${page.status} without a version`;
  if (version !== undefined && shown !== version) return `version ${shown} answers, not ${version}`;
  const id = await ask(url, 'eth_chainId');
  if (Number(id) !== chainId) return `eth_chainId answered ${id}, not 0x${chainId.toString(16)}`;
  const block = await ask(url, 'eth_blockNumber');
  if (!(Number(block) > 0)) return `eth_blockNumber answered ${block}`;
  return undefined;
}

/** @returns the result, or what came instead of one, as text */
async function ask(url, method) {
  const { status, body } = await exchange(url, 'POST', JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] }));
  try {
    const { result, error } = JSON.parse(body);
    return result ?? `${error.code} ${error.message}`;
  } catch {
    return `${status} without JSON-RPC`;
  }
}

function exchange(url, method, content) {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const headers = { 'user-agent': 'smoke', ...(content !== undefined && { 'content-type': 'application/json' }) };
    const request = send(url, { method, headers, agent: false }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString('utf8') }));
    });
    // Of the whole answer: one that comes byte by byte is never silent.
    const ms = Math.max(LEAST_MS, Math.min(REQUEST_MS, until - Date.now()));
    const timer = setTimeout(() => {
      reject(new Error(`no whole answer within ${ms} ms`));
      request.destroy();
    }, ms);
    request.on('error', reject);
    request.on('close', () => clearTimeout(timer));
    request.end(content);
  });
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: 'string' },
        'chain-id': { type: 'string' },
        version: { type: 'string' },
        deadline: { type: 'string', default: '900' },
        rounds: { type: 'string', default: '10' },
      },
    });
    return {
      url: new URL(values.url ?? ''),
      chainId: whole('chain-id', values['chain-id']),
      version: values.version,
      deadline: whole('deadline', values.deadline),
      rounds: whole('rounds', values.rounds),
    };
  } catch (error) {
    return fail(2, error.message);
  }
}

function whole(name, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name} must be a whole number of at least 1, got ${text}`);
  return value;
}

function fail(code, why) {
  console.error(why);
  process.exit(code);
}
