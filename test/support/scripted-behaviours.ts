import type { Answer, Exchange } from './scripted-exchange';
import type { LoggedRequest } from './scripted-request';
import { httpHead, httpResponse, type WireHeaders } from './scripted-wire';

/**
 * What a scripted node does with one HTTP request. A behaviour is a plain function, so that a test can write its own;
 * when it returns, the node goes on to the next request of that connection. One that returns while it still owes
 * bytes leaves the client waiting.
 *
 * @example
 * node.on('eth_call', resetBeforeResponse());
 * node.once('*', status(429, { 'retry-after': 1 }));
 * node.on('eth_sendRawTransaction', executed(resetBeforeResponse())); // accepted, and the answer lost
 * node.on('eth_getLogs', delay(500, drip({ bytesPerTick: 1, everyMs: 30 })));
 * node.on('eth_chainId', async (exchange) => { await exchange.send('HTTP/1.1 200 OK\r\n'); });
 */
export type Behaviour = (exchange: Exchange) => void | Promise<void>;

/** The answer the node would give if nothing were scripted. */
export const ordinary = (): Behaviour => async (exchange) => {
  const body = exchange.toBody();
  await exchange.send(body === '' ? httpHead(204) : httpResponse(200, body));
};

// ── Combining ────────────────────────────────────────────────────────────────────────────────────────────────────

export const delay =
  (ms: number, behaviour: Behaviour = ordinary()): Behaviour =>
  async (exchange) => {
    if (await exchange.wait(ms)) await behaviour(exchange);
  };

/** The request takes effect on the node (a transaction enters its pool); the fault hits the answer only. */
export const executed =
  (behaviour: Behaviour): Behaviour =>
  (exchange) => {
    exchange.answers();
    return behaviour(exchange);
  };

/** One after the other, the last one for ever. */
export const inTurn = (first: Behaviour, ...rest: readonly Behaviour[]): Behaviour => {
  let turn = 0;
  return (exchange) => ([first, ...rest][Math.min(turn++, rest.length)] ?? first)(exchange);
};

// ── JSON-RPC answers ─────────────────────────────────────────────────────────────────────────────────────────────

/** Nothing runs on the node. */
export const result = (value: unknown): Behaviour => resultOf(() => value);

export const resultOf = (of: (request: LoggedRequest) => unknown): Behaviour =>
  answering((request) => ({ id: request.rawId, result: of(request) }));

export const error = (code: number, message: string, data?: unknown): Behaviour =>
  answering((request) => ({ id: request.rawId, error: { code, message, data } }));

/** The ordinary answers with something changed; of a batch also their order and number. */
export const altered =
  (change: (answers: readonly Answer[]) => readonly Answer[]): Behaviour =>
  (exchange) =>
    sendBody(exchange, exchange.toBody(change(exchange.answers())));

export const wrongId = (): Behaviour => alteredEach((answer) => ({ ...answer, id: '987654321' }));
export const missingId = (): Behaviour => alteredEach((answer) => ({ ...answer, id: undefined }));
/** `7` comes back as `"7"`. */
export const stringId = (): Behaviour => alteredEach((answer) => ({ ...answer, id: JSON.stringify(answer.id) }));
export const resultAndError = (): Behaviour =>
  alteredEach((answer) => ({ ...answer, result: '0x1', error: { code: -32000, message: 'both' } }));

// ── Bodies ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Status 200 and a correct length around any bytes. */
export const rawBody = (bytes: string | Uint8Array, headers: WireHeaders = {}): Behaviour =>
  rawBytes(httpResponse(200, bytes, headers));

/** The ordinary body, re-written. */
export const alteredBody =
  (change: (body: string) => string | Uint8Array): Behaviour =>
  (exchange) =>
    sendBody(exchange, change(exchange.toBody()));

export const truncatedJson = (): Behaviour => alteredBody((body) => body.slice(0, -3));
export const arrayForSingle = (): Behaviour => alteredBody((body) => `[${body}]`);
export const bom = (): Behaviour => alteredBody((body) => `\uFEFF${body}`);
/** 0xC3 0x28, a lead byte without its continuation (Unicode 15, table 3-7), inside a string. */
export const badUtf8 = (): Behaviour =>
  alteredBody((body) => Buffer.concat([Buffer.from(`${body.slice(0, -1)},"note":"`), BAD_UTF8, Buffer.from('"}')]));
/** A second id and a second result behind the right ones: which is read depends on the parser. */
export const duplicateKeys = (): Behaviour =>
  alteredBody((body) => `${body.slice(0, -1)},"id":987654321,"result":"0x2"}`);
export const emptyBody = (): Behaviour => rawBody('');

const BAD_UTF8 = Uint8Array.of(0xc3, 0x28);

// ── HTTP ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** For example `status(301, { location: url })`, `status(503)`, `status(429, { 'retry-after': 2 }, '{"error":…}')`. */
export const status = (code: number, headers: WireHeaders = {}, body = `${code}`): Behaviour =>
  rawBytes(httpResponse(code, body, { 'content-type': 'text/plain', ...headers }));

export const html200 = (): Behaviour =>
  rawBody('<!doctype html><title>Welcome</title><h1>It works</h1>', { 'content-type': 'text/html' });

export const noContent204 = (): Behaviour => rawBytes(httpHead(204));

/** These bytes and no others, as the whole HTTP response or any part of one. */
export const rawBytes =
  (bytes: string | Uint8Array): Behaviour =>
  async (exchange) => {
    await exchange.send(bytes);
  };

/** The ordinary response twice: the second one belongs to nobody. */
export const twoResponses = (): Behaviour => async (exchange) => {
  const response = httpResponse(200, exchange.toBody());
  await exchange.send(Buffer.concat([response, response]));
};

/** The ordinary answer below `bytes` of extra headers. */
export const headerBomb =
  (bytes: number): Behaviour =>
  async (exchange) => {
    const lines = Array.from({ length: Math.ceil(bytes / 1000) }, (_, index) => [`x-${index}`, 'a'.repeat(990)]);
    await exchange.send(httpResponse(200, exchange.toBody(), Object.fromEntries(lines) as WireHeaders));
  };

function answering(answer: (request: LoggedRequest) => Answer): Behaviour {
  return (exchange) =>
    sendBody(exchange, exchange.toBody(exchange.requests.filter((one) => one.rawId !== undefined).map(answer)));
}

function alteredEach(change: (answer: Answer) => Answer): Behaviour {
  return altered((answers) => answers.map(change));
}

async function sendBody(exchange: Exchange, body: string | Uint8Array): Promise<void> {
  await exchange.send(httpResponse(200, body));
}
