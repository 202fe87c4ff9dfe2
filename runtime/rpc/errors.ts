/**
 * Our own refusals, one row each: the JSON-RPC code, the HTTP status and the standard's words.
 * Codes −32700 … −32603 are of JSON-RPC 2.0 section 5.1, −32005 … −32001 of EIP-1474.
 */
const REFUSALS = {
  PARSE_ERROR: { code: -32700, status: 200, text: 'Parse error' },
  INVALID_REQUEST: { code: -32600, status: 200, text: 'Invalid request' },
  TOO_LARGE: { code: -32600, status: 413, text: 'Invalid request' },
  UNKNOWN_PATH: { code: -32600, status: 404, text: 'Invalid request' },
  ENCODED: { code: -32600, status: 415, text: 'Invalid request' },
  METHOD_NOT_ALLOWED: { code: -32600, status: 405, text: 'Invalid request' },
  DENIED: { code: -32601, status: 200, text: 'Method not available' },
  INVALID_PARAMS: { code: -32602, status: 200, text: 'Invalid params' },
  INTERNAL: { code: -32603, status: 200, text: 'Internal error' },
  RESPONSE_TOO_LARGE: { code: -32603, status: 200, text: 'Response too large' },
  /** Exactly geth's words: clients make a filter anew on them. */
  NO_FILTER: { code: -32000, status: 200, text: 'filter not found' },
  NO_NOTIFICATIONS: { code: -32004, status: 200, text: 'Notifications not supported' },
  LIMITED: { code: -32005, status: 429, text: 'Limit exceeded' },
  OVERLOADED: { code: -32005, status: 503, text: 'Limit exceeded' },
  NO_NODE: { code: -32002, status: 503, text: 'Resource unavailable' },
  DEADLINE: { code: -32002, status: 504, text: 'Resource unavailable' },
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/** A refusal of ours, ready to be written: it never carries a node's text, a URL or a key. */
export interface Refusal {
  readonly reason: RefusalCode;
  readonly code: number;
  readonly message: string;
  /** HTTP status when this is the whole answer. */
  readonly status: number;
  /** When trying again makes sense, in milliseconds; becomes `data.retryAfterMs` and the Retry-After header. */
  readonly retryAfterMs?: number;
}

/** @param detail follows the standard's words after a colon; it names the rule and the value. */
export function refusal(reason: RefusalCode, detail?: string, retryAfterMs?: number): Refusal {
  const { code, status, text } = REFUSALS[reason];
  const message = detail === undefined ? text : `${text}: ${detail}`;
  return retryAfterMs === undefined
    ? { reason, code, message, status }
    : { reason, code, message, status, retryAfterMs: Math.ceil(retryAfterMs) };
}

/** The JSON-RPC error object of a refusal. */
export function errorObject(refused: Refusal): Buffer {
  const { code, message, retryAfterMs } = refused;
  return Buffer.from(
    JSON.stringify(retryAfterMs === undefined ? { code, message } : { code, message, data: { retryAfterMs } }),
  );
}
