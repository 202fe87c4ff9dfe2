import { rawMember } from './scripted-json';
import type { RequestMaker } from './load-mix';

/** Whose id the response carries: the one sent, byte for byte; none or null; or some other. */
export type IdVerdict = 'ours' | 'nobodys' | 'anothers';

/** What became of one request. Every end has a class, none is dropped. */
export type Outcome =
  | { readonly kind: 'result'; readonly right: boolean; readonly id: IdVerdict; readonly text: string }
  | { readonly kind: 'rpcError'; readonly code: number; readonly message: string; readonly id: IdVerdict }
  /** A status outside 2xx with a JSON body; `code` and `message` when it is a JSON-RPC error. */
  | {
      readonly kind: 'httpJsonError';
      readonly status: number;
      readonly code: number | undefined;
      readonly message: string | undefined;
      readonly id: IdVerdict;
    }
  | { readonly kind: 'httpBareError'; readonly status: number; readonly text: string }
  /** Status 2xx around something that is no JSON-RPC response. */
  | { readonly kind: 'malformed'; readonly status: number; readonly text: string }
  | { readonly kind: 'networkError'; readonly code: string; readonly message: string }
  | { readonly kind: 'clientAbort' }
  | { readonly kind: 'timeout' };

export type OutcomeKind = Outcome['kind'];

/** What was asked, as far as the answer is judged by it. */
export interface Asked {
  readonly maker: RequestMaker;
  readonly nonce: string;
  /** Raw JSON. */
  readonly id: string;
}

/** Judges a response that arrived whole. */
export function classifyResponse(status: number, bytes: Uint8Array, asked: Asked): Outcome {
  const ok = status >= 200 && status < 300;
  const body = decode(bytes);
  const parsed = parseObject(body);
  const text = body.slice(0, SHOWN_CHARACTERS);
  if (parsed === undefined) return ok ? { kind: 'malformed', status, text } : { kind: 'httpBareError', status, text };
  const { error } = parsed;
  const id = judgeId(rawMember(body, 'id'), asked);
  if (!ok) return { kind: 'httpJsonError', status, code: error?.code, message: error?.message, id };
  const hasResult = 'result' in parsed;
  if (parsed.jsonrpc !== '2.0' || hasResult === (error !== undefined)) return { kind: 'malformed', status, text };
  if (error !== undefined) return { kind: 'rpcError', code: error.code, message: error.message, id };
  return { kind: 'result', right: asked.maker.isRight(parsed.result, asked.nonce), id, text };
}

/** Judges a request that ended without a whole response. `reason` is what ended it when that was the client. */
export function classifyFailure(error: unknown, reason: 'timeout' | 'clientAbort' | undefined): Outcome {
  if (reason !== undefined) return { kind: reason };
  const { code, message } = error as NodeJS.ErrnoException;
  return { kind: 'networkError', code: code ?? 'UNKNOWN', message };
}

/** One line for a problem list. */
export function describeOutcome(outcome: Outcome): string {
  const { kind, ...rest } = outcome;
  return `${kind} ${JSON.stringify(rest)}`;
}

// Enough to see whose answer it is; whole bodies of a long load would fill the memory.
const SHOWN_CHARACTERS = 300;

function judgeId(received: string | undefined, asked: Asked): IdVerdict {
  if (received === asked.id) return 'ours';
  return received === undefined || received === 'null' ? 'nobodys' : 'anothers';
}

interface ParsedResponse {
  readonly jsonrpc?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** Bytes that are no UTF-8 become a text that is no JSON; a byte order mark stays, and is no JSON either. */
function decode(bytes: Uint8Array): string {
  try {
    return STRICT_UTF8.decode(bytes);
  } catch {
    return `not UTF-8: ${Buffer.from(bytes).toString('latin1')}`;
  }
}

const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parseObject(body: string): ParsedResponse | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? parsed : undefined;
  } catch {
    return undefined;
  }
}
