import { setMaxListeners } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger } from './ledger';
import { createRequests, type IdStyle, type LoadRequest } from './load-request';
import type { RequestMaker } from './load-mix';
import { Sender, type SenderOptions } from './load-sender';

export interface LoadOptions extends SenderOptions {
  /** Asked in turn. */
  readonly mix: readonly RequestMaker[];
  /** Simulated clients: each has one connection and one request in flight. Default 8. */
  readonly clients?: number;
  /** Ends after so many milliseconds; what is in flight is awaited. One of this and `total` is required. */
  readonly durationMs?: number;
  /** Ends after so many requests of all clients together. */
  readonly total?: number;
  /** Milliseconds each client rests between requests. Default 0. */
  readonly pauseMs?: number;
  /** Default `plain`. `tricky` ids are for servers that promise them back byte for byte; real nodes do not. */
  readonly ids?: IdStyle;
  /** Ends the run at once; what is in flight is classed as `clientAbort`. */
  readonly signal?: AbortSignal;
}

/**
 * Closed-loop load: every client sends, waits for the end whatever it is, and sends again. A connection belongs to one
 * client, so what happens to a socket happens to one request. Nothing is retried, nothing is dropped.
 *
 * @example
 * const running = runLoad({ url: balancer.url, clients: 32, durationMs: 3_000, mix: echoMix, ids: 'tricky' });
 * await setTimeout(1_000);
 * await node.refuse();
 * const ledger = await running;
 * expect(ledger.check({ nodes, maxAttempts: 3 })).toEqual([]);
 * expect(ledger.failures()).toEqual([]);
 */
export async function runLoad(options: LoadOptions): Promise<Ledger> {
  const { clients = 8, mix, ids = 'plain', total = Infinity, durationMs = Infinity } = options;
  if (total === Infinity && durationMs === Infinity) throw new TypeError('runLoad needs durationMs or total');
  const ledger = new Ledger();
  const stop = new AbortController();
  // One a client at a time.
  setMaxListeners(clients + 1, stop.signal);
  const next = createRequests(mix, ids);
  const end = performance.now() + durationMs;
  let started = 0;
  const mayGoOn = (): boolean => !stop.signal.aborted && performance.now() < end && started++ < total;
  const onAbort = (): void => stop.abort();
  if (options.signal?.aborted === true) stop.abort();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        const sender = new Sender(options, stop.signal);
        while (mayGoOn()) {
          await ask(sender, ledger, next(), client);
          await rest(options.pauseMs ?? 0, stop.signal);
        }
        await sender.close();
      }),
    );
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
  }
  return ledger;
}

async function ask(sender: Sender, ledger: Ledger, request: LoadRequest, client: number): Promise<void> {
  const { id, nonce, maker, carriesNonce } = request;
  const { method, idempotent } = maker;
  ledger.sent({ id, nonce, method, idempotent, carriesNonce, client, sentAt: Date.now() });
  const start = performance.now();
  const outcome = await sender.send(request);
  ledger.settled(id, outcome, performance.now() - start);
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined);
}
