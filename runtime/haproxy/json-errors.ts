import { quote } from './quote';

/**
 * HAProxy's own answers, which are pages of HTML otherwise: the codes and words of runtime/rpc/errors.ts, and an id of
 * null, since it does not read the request's.
 */
const ERRORS = {
  400: { code: -32600, message: 'Invalid request: not HTTP as it should be' },
  403: { code: -32600, message: 'Invalid request: forbidden' },
  404: { code: -32600, message: 'Invalid request: no chain has this path' },
  405: { code: -32600, message: 'Invalid request: POST is needed' },
  408: { code: -32600, message: 'Invalid request: it took too long to arrive' },
  413: { code: -32600, message: 'Invalid request: the body is too large' },
  429: { code: -32005, message: 'Limit exceeded' },
  500: { code: -32603, message: 'Internal error' },
  501: { code: -32004, message: 'Notifications not supported: no WebSocket here' },
  502: { code: -32002, message: 'Resource unavailable: the node gave no answer' },
  503: { code: -32002, message: 'Resource unavailable: the node cannot be reached' },
  504: { code: -32002, message: 'Resource unavailable: the node did not answer in time' },
} as const;

export type OwnStatus = keyof typeof ERRORS;

export const OWN_STATUSES = Object.keys(ERRORS).map(Number) as readonly OwnStatus[];

/** The words of `http-error` and `http-request return` for one status. */
export function jsonError(status: OwnStatus): string {
  const body = JSON.stringify({ jsonrpc: '2.0', id: null, error: ERRORS[status] });
  return `status ${status} content-type application/json string ${quote(body)}`;
}
