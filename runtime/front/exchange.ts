import { Readable } from 'node:stream';
import type { HttpConfig } from '../config/schema';
import { errorEnvelope, resultEnvelope, resultFrame } from '../rpc/envelope';
import { errorObject, refusal, type Refusal } from '../rpc/errors';
import type { HeadView } from '../rpc/head-view';
import { isInvalid, type MessageItem, NULL_ID, parseMessage, type RpcRequest } from '../rpc/message';
import type { Outcome } from '../rpc/outcome';
import type { Cancel } from '../util/cancellation';
import { runBatch } from './batch';
import type { ClientKey } from './client-key';

/** What one request is handled with; all items of a message share it. */
export interface RequestContext {
  readonly client: ClientKey;
  /** Every item of a message is pinned to this block; undefined until a node has shown one. */
  readonly head: HeadView | undefined;
  /** On the clock of performance.now(). */
  readonly deadline: number;
  /** Cancelled when the caller has gone. */
  readonly cancel: Cancel;
}

/** A verdict of the rate limits on one item. */
export interface Admission {
  readonly allowed: boolean;
  readonly limit?: number;
  readonly remaining?: number;
  readonly resetMs?: number;
  readonly retryAfterMs?: number;
}

/** One chain, as the fronts know it; the pipeline behind it is handed in. */
export interface ChainService {
  readonly deadlineMs: number;
  head(): HeadView | undefined;
  /** One step for a whole message; undefined where no limits are configured. */
  admit(
    client: ClientKey,
    methods: readonly string[],
  ): Promise<readonly Admission[]> | readonly Admission[] | undefined;
  handle(request: RpcRequest, context: RequestContext): Promise<Outcome>;
  /** Told of what never became a request. */
  onRefused(refused: Refusal): void;
}

/** The answer to one message, whatever the transport. */
export interface ExchangeAnswer {
  /** HTTP status; 204 with no body for notifications. */
  readonly status: number;
  readonly body: Buffer | Readable | undefined;
  readonly retryAfterMs?: number;
  readonly admission?: Admission;
}

/** Bytes and a client in, bytes out: what HTTP and WebSocket have in common. */
export async function exchange(
  bytes: Buffer,
  client: ClientKey,
  cancel: Cancel,
  service: ChainService,
  http: HttpConfig,
): Promise<ExchangeAnswer> {
  const message = parseMessage(bytes, http);
  if (message.kind === 'refused') {
    service.onRefused(message.refused);
    return refusedAnswer(message.refused, NULL_ID);
  }
  const items = message.kind === 'single' ? [message.item] : message.items;
  const context: RequestContext = {
    client,
    head: service.head(),
    deadline: performance.now() + service.deadlineMs,
    cancel,
  };
  const methods = items.flatMap((item) => (isInvalid(item) ? [] : item.method));
  const pending = service.admit(client, methods);
  const admissions = pending instanceof Promise ? await pending : pending;
  const runs = toRuns(items, admissions, context, service);
  if (message.kind === 'single') return answerSingle(runs[0]);
  const batch = await runBatch(runs, {
    concurrency: http.batchConcurrency,
    maxResponseBytes: http.maxBatchResponseBytes,
  });
  return withAdmission(
    {
      status: batch.body === undefined ? 204 : (batch.refused?.status ?? 200),
      body: batch.body,
      ...(batch.refused?.retryAfterMs !== undefined && { retryAfterMs: batch.refused.retryAfterMs }),
    },
    admissions && tightest(admissions),
  );
}

/** Of the items of a batch the one with the least left tells what the caller must know; of the same bucket, the last. */
function tightest(admissions: readonly Admission[]): Admission | undefined {
  let found: Admission | undefined;
  for (const one of admissions) {
    if (one.remaining === undefined) continue;
    if (found?.remaining === undefined || one.remaining <= found.remaining) found = one;
  }
  return found;
}

/** A chain that refuses every request, each under its own id; what is no request is told so. */
export function refusing(service: ChainService, refused: Refusal): ChainService {
  return {
    deadlineMs: service.deadlineMs,
    head: () => undefined,
    admit: () => undefined,
    handle: () => {
      service.onRefused(refused);
      return Promise.resolve({ kind: 'refused', refused });
    },
    onRefused: (own) => service.onRefused(own),
  };
}

/** The answer that refuses a whole message. */
export function refusedAnswer(refused: Refusal, id: Buffer): ExchangeAnswer {
  const { status, retryAfterMs } = refused;
  const body = errorEnvelope(id, errorObject(refused));
  return retryAfterMs === undefined ? { status, body } : { status, body, retryAfterMs };
}

interface ItemRun {
  readonly id: Buffer | undefined;
  readonly admission: Admission | undefined;
  readonly run: () => Promise<Outcome>;
}

function toRuns(
  items: readonly MessageItem[],
  admissions: readonly Admission[] | undefined,
  context: RequestContext,
  service: ChainService,
): ItemRun[] {
  let next = 0;
  return items.map((item): ItemRun => {
    if (isInvalid(item)) {
      service.onRefused(item.refused);
      return {
        id: item.id,
        admission: undefined,
        run: () => Promise.resolve({ kind: 'refused', refused: item.refused }),
      };
    }
    const admission = admissions?.[next++];
    if (admission?.allowed === false) {
      const refused = refusal('LIMITED', `${admission.limit ?? 0} requests a minute`, admission.retryAfterMs ?? 1000);
      service.onRefused(refused);
      return { id: item.id, admission, run: () => Promise.resolve({ kind: 'refused', refused }) };
    }
    return { id: item.id, admission, run: () => service.handle(item, context) };
  });
}

async function answerSingle(item: ItemRun | undefined): Promise<ExchangeAnswer> {
  if (item === undefined) return refusedAnswer(refusal('INTERNAL'), NULL_ID);
  const outcome = await item.run();
  if (item.id === undefined) {
    if (outcome.kind === 'stream') outcome.stream.destroy();
    return withAdmission({ status: 204, body: undefined }, item.admission);
  }
  switch (outcome.kind) {
    case 'result':
      return withAdmission({ status: 200, body: resultEnvelope(item.id, outcome.result) }, item.admission);
    case 'error':
      return withAdmission({ status: 200, body: errorEnvelope(item.id, outcome.error) }, item.admission);
    case 'refused':
      return withAdmission(refusedAnswer(outcome.refused, item.id), item.admission);
    case 'stream':
      return withAdmission({ status: 200, body: framed(item.id, outcome.stream) }, item.admission);
  }
}

function withAdmission(answer: ExchangeAnswer, admission: Admission | undefined): ExchangeAnswer {
  return admission === undefined ? answer : { ...answer, admission };
}

/** The envelope around a result that streams; an error on the way destroys it, so that no body looks whole. */
function framed(id: Buffer, stream: Readable): Readable {
  const { head, end } = resultFrame(id);
  async function* parts(): AsyncGenerator<Buffer> {
    yield head;
    for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
    yield end;
  }
  const body = Readable.from(parts(), { objectMode: false, highWaterMark: 64 * 1024 });
  // A generator that never began has no end to clean up in.
  return body.once('close', () => stream.destroy());
}
