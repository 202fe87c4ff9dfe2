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
  const room = new Room(bounds.maxResponseBytes);
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
      answers[index] = await toEnvelope(item.id, outcome, room);
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

/** What the answer of a batch may still take; shared by its items, so that all together never hold more. */
class Room {
  constructor(private left: number) {}

  take(bytes: number): boolean {
    if (bytes > this.left) return false;
    this.left -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.left += bytes;
  }
}

async function toEnvelope(id: Buffer, outcome: Outcome, room: Room): Promise<Buffer> {
  switch (outcome.kind) {
    case 'result':
      return fitting(id, resultEnvelope(id, outcome.result), room);
    case 'error':
      return fitting(id, errorEnvelope(id, outcome.error), room);
    case 'refused':
      return fitting(id, errorEnvelope(id, errorObject(outcome.refused)), room);
    case 'stream':
      return collect(id, outcome.stream, room);
  }
}

function fitting(id: Buffer, answer: Buffer, room: Room): Buffer {
  return room.take(answer.length) ? answer : errorEnvelope(id, TOO_LARGE);
}

/** A streamed result among others is held, as far as there is room. */
async function collect(id: Buffer, stream: Readable, room: Room): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const giveUp = (error: Buffer): Buffer => {
    room.giveBack(bytes);
    return fitting(id, errorEnvelope(id, error), room);
  };
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (!room.take(chunk.length)) return giveUp(TOO_LARGE);
      bytes += chunk.length;
      chunks.push(chunk);
    }
  } catch {
    return giveUp(errorObject(refusal('NO_NODE', 'the answer broke off')));
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
