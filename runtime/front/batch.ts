import type { Readable } from 'node:stream';
import { errorEnvelope, resultEnvelope } from '../rpc/envelope';
import { errorObject, refusal, type Refusal } from '../rpc/errors';
import type { Outcome } from '../rpc/outcome';

export interface BatchBounds {
  /** Items underway at once. */
  readonly concurrency: number;
  /** Bytes of the whole answer; an item that does not fit is answered with an error instead. */
  readonly maxResponseBytes: number;
}

export interface BatchItem {
  /** Undefined for a notification, which gets no answer. */
  readonly id: Buffer | undefined;
  readonly run: () => Promise<Outcome>;
}

export interface BatchAnswer {
  /** Undefined when there were only notifications. */
  readonly body: Buffer | undefined;
  /** The refusal that all items share, if they were all refused alike. */
  readonly refused: Refusal | undefined;
}

/** Runs the items side by side and answers them in the order they came; none waits for, or harms, another. */
export async function runBatch(items: readonly BatchItem[], bounds: BatchBounds): Promise<BatchAnswer> {
  const answers: (Buffer | undefined)[] = new Array<Buffer | undefined>(items.length);
  let left = bounds.maxResponseBytes;
  const refusals: Refusal[] = [];
  let next = 0;

  const worker = async (): Promise<void> => {
    for (;;) {
      const index = next++;
      const item = items[index];
      if (item === undefined) return;
      const outcome = await item.run();
      if (outcome.kind === 'refused') refusals.push(outcome.refused);
      if (item.id === undefined) {
        if (outcome.kind === 'stream') outcome.stream.destroy();
        continue;
      }
      let answer = await toEnvelope(item.id, outcome, left);
      if (answer.length > left) answer = errorEnvelope(item.id, TOO_LARGE);
      left = Math.max(0, left - answer.length);
      answers[index] = answer;
    }
  };
  await Promise.all(Array.from({ length: Math.min(bounds.concurrency, items.length) }, worker));

  const written = answers.filter((answer) => answer !== undefined);
  return {
    body: written.length === 0 ? undefined : toArray(written),
    refused: sharedRefusal(refusals, items.length),
  };
}

function sharedRefusal(refusals: readonly Refusal[], items: number): Refusal | undefined {
  const [first] = refusals;
  return refusals.length === items && refusals.every(({ status }) => status === first?.status) ? first : undefined;
}

const TOO_LARGE = errorObject(refusal('RESPONSE_TOO_LARGE', 'it does not fit into the answer of this batch'));

async function toEnvelope(id: Buffer, outcome: Outcome, most: number): Promise<Buffer> {
  switch (outcome.kind) {
    case 'result':
      return resultEnvelope(id, outcome.result);
    case 'error':
      return errorEnvelope(id, outcome.error);
    case 'refused':
      return errorEnvelope(id, errorObject(outcome.refused));
    case 'stream':
      return collect(id, outcome.stream, most);
  }
}

/** A streamed result among others is held, as far as the bound allows. */
async function collect(id: Buffer, stream: Readable, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > most) return errorEnvelope(id, TOO_LARGE);
      chunks.push(chunk);
    }
  } catch {
    return errorEnvelope(id, errorObject(refusal('NO_NODE', 'the answer broke off')));
  }
  return resultEnvelope(id, Buffer.concat(chunks));
}

function toArray(answers: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  for (const answer of answers) parts.push(parts.length === 0 ? OPEN : COMMA, answer);
  parts.push(CLOSE);
  return Buffer.concat(parts);
}

const OPEN = Buffer.from('[');
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from(']');
