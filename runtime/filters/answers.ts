import { ChainReadError } from '../chain/read-chain';
import { refusal, type RefusalCode } from '../rpc/errors';
import type { RpcParams, RpcRequest } from '../rpc/message';
import type { Outcome } from '../rpc/outcome';
import { StoreAway } from './store';

/** When trying again makes sense, in milliseconds. */
export const RETRY_SOON_MS = 1000;

export function refuse(reason: RefusalCode, detail?: string, retryAfterMs?: number): Outcome {
  return { kind: 'refused', refused: refusal(reason, detail, retryAfterMs) };
}

/** @param text JSON */
export function toResult(text: string): Outcome {
  return { kind: 'result', result: Buffer.from(text) };
}

/** @param items JSON texts */
export function toList(items: readonly string[]): Outcome {
  return toResult(`[${items.join(',')}]`);
}

/** What a caller is told where a poll came to nothing; the filter is as it was, so that nothing is lost. */
export function failureOutcome(error: unknown): Outcome {
  if (error instanceof StoreAway) {
    return refuse('NO_NODE', 'filters are kept in Redis, which does not answer', RETRY_SOON_MS);
  }
  if (!(error instanceof ChainReadError)) throw error;
  // The chain is changing: what became of it is told once it is known.
  if (error.code === 'STRAY') return toList([]);
  return error.outcome ?? refuse('NO_NODE', error.message, RETRY_SOON_MS);
}

/** Whether it is of the form of those we give: nobody needs to be asked for any other. */
export function isFilterId(id: string): boolean {
  return /^0x[0-9a-f]{32}$/.test(id);
}

/** The id of a filter, or what is said where there is none. */
export function filterId({ params }: RpcRequest): string | Outcome {
  const [id] = itemsOf(params);
  const isId = typeof id === 'string';
  return isId ? id : refuse('INVALID_PARAMS', `params[0] must be the id of a filter, got ${typeof id}`);
}

/** The params as values; none where they are no list. */
export function itemsOf({ bytes }: RpcParams): unknown[] {
  const params: unknown = JSON.parse(bytes.toString('utf8'));
  return Array.isArray(params) ? (params as unknown[]) : [];
}
