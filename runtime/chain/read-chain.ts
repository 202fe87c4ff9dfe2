import type { Readable } from 'node:stream';
import type { Outcome } from '../rpc/outcome';

/**
 * Asks any node that has what is asked for; how one is found is not known here. What is asked by number is of the
 * branch of the head, or `via.asAsked` is false. Never rejects.
 */
export type ChainSend = (method: string, params: readonly unknown[]) => Promise<Outcome>;

/**
 * Why something could not be read: `STRAY` it came of another branch than the head's, which is changing; `TOO_LARGE` the
 * answer is longer than can be held; `REFUSED` by a node or by us, as the outcome tells; `BROKEN` it makes no sense.
 */
export type ChainReadCode = 'STRAY' | 'TOO_LARGE' | 'REFUSED' | 'BROKEN';

export class ChainReadError extends Error {
  override readonly name = 'ChainReadError';

  constructor(
    readonly code: ChainReadCode,
    message: string,
    readonly outcome?: Outcome,
  ) {
    super(message);
  }
}

/** Answers beyond this are not held. */
const MAX_BYTES = 16 * 1024 * 1024;

/** The answer as bytes. @throws ChainReadError */
export async function readChain(send: ChainSend, method: string, params: readonly unknown[]): Promise<Buffer> {
  const outcome = await send(method, params);
  // What comes from the cache has no `via`, and was certain when it was kept.
  const isCertain = !('via' in outcome) || outcome.via.asAsked;
  switch (outcome.kind) {
    case 'result':
      if (!isCertain) throw uncertain(method);
      return outcome.result;
    case 'stream':
      if (isCertain) return collect(method, outcome.stream);
      outcome.stream.destroy();
      throw uncertain(method);
    case 'error':
    case 'refused':
      throw new ChainReadError('REFUSED', `${method} was refused`, outcome);
  }
}

function uncertain(method: string): ChainReadError {
  return new ChainReadError('STRAY', `${method} was answered at another block, or not for certain at this one`);
}

async function collect(method: string, stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) break;
      chunks.push(chunk);
    }
  } catch {
    throw new ChainReadError('BROKEN', `the answer to ${method} broke off`);
  }
  if (bytes > MAX_BYTES) throw new ChainReadError('TOO_LARGE', `${method} was answered with over ${MAX_BYTES} bytes`);
  return Buffer.concat(chunks);
}
