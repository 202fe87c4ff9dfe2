export type ProbeErrorCode =
  | 'TIMEOUT'
  | 'UNREACHABLE'
  /** Another status than 200; redirects are not followed. */
  | 'HTTP_STATUS'
  | 'RPC_ERROR'
  /** No block in it, or more than a block. */
  | 'BAD_ANSWER'
  | 'ABORTED';

/** Why a probe failed; the text has nothing of the URL, the server's answer or a header in it. */
export class ProbeError extends Error {
  override readonly name = 'ProbeError';

  constructor(
    readonly code: ProbeErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What ethers and Node throw becomes ours; their messages quote URLs, which hold keys, so none is kept. */
export function toProbeError(error: unknown): ProbeError {
  if (error instanceof ProbeError) return error;
  const rpcCode = rpcCodeOf(error);
  if (rpcCode !== undefined) return new ProbeError('RPC_ERROR', `answered JSON-RPC error ${rpcCode}`);
  return new ProbeError('BAD_ANSWER', 'answered no block');
}

/** ethers wraps an error the server answered in one of its own. */
function rpcCodeOf(error: unknown): number | undefined {
  const answered = memberOf(error, 'error') ?? memberOf(memberOf(error, 'info'), 'error');
  const code = memberOf(answered, 'code');
  return typeof code === 'number' && Number.isFinite(code) ? code : undefined;
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && key in value
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
