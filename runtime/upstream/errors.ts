/**
 * How an attempt at a node can fail. `sent` false means that provably not a byte of the request left;
 * `light` failures of the transport speak for a node that is gone, so they count towards ejecting it.
 */
const NODE_ERRORS = {
  CONNECT_FAILED: { sent: false, ejects: true },
  CONNECT_TIMEOUT: { sent: false, ejects: true },
  TLS_FAILED: { sent: false, ejects: true },
  FORBIDDEN_ADDRESS: { sent: false, ejects: true },
  RESET: { sent: true, ejects: true },
  TIMEOUT: { sent: true, ejects: true },
  NODE_DOWN: { sent: true, ejects: false },
  SERVER_ERROR: { sent: true, ejects: true },
  UNAUTHORIZED: { sent: true, ejects: true },
  REDIRECT: { sent: true, ejects: true },
  RATE_LIMITED: { sent: true, ejects: false },
  BAD_RESPONSE: { sent: true, ejects: true },
  /** An HTTP status that refuses this request, and says nothing of others. */
  NOT_TAKEN: { sent: true, ejects: false },
  TOO_LARGE: { sent: true, ejects: false },
  CALLER_LEFT: { sent: true, ejects: false },
} as const;

export type NodeErrorCode = keyof typeof NODE_ERRORS;

export interface NodeErrorOptions {
  readonly cause?: unknown;
  /** HTTP status, where the node gave one. */
  readonly status?: number;
  /** What the node asked for in `Retry-After`, in milliseconds. */
  readonly retryAfterMs?: number;
  /** False where the attempt ended before it was written, whatever the code. */
  readonly sent?: boolean;
}

/** An attempt at a node that failed. The message names the node and the number, never a URL or a key. */
export class NodeError extends Error {
  readonly code: NodeErrorCode;
  /** May the node have seen the request? */
  readonly sent: boolean;
  /** Does this speak against the node's health? */
  readonly ejects: boolean;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: NodeErrorCode, message: string, options: NodeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'NodeError';
    this.code = code;
    this.sent = options.sent ?? NODE_ERRORS[code].sent;
    this.ejects = NODE_ERRORS[code].ejects;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}
