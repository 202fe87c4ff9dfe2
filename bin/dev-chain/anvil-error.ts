/**
 * `NO_BINARY` no executable for this machine · `START_FAILED` the process ended or stayed silent · `UNREACHABLE` the
 * connection was refused or cut · `TIMEOUT` no answer in time · `RPC_ERROR` the node answered with a JSON-RPC error ·
 * `DIVERGED` the node cannot reproduce a block of the chain · `NO_NODE` nobody could produce a block.
 */
export type AnvilErrorCode =
  'NO_BINARY' | 'START_FAILED' | 'UNREACHABLE' | 'TIMEOUT' | 'RPC_ERROR' | 'DIVERGED' | 'NO_NODE';

export class AnvilError extends Error {
  override readonly name = 'AnvilError';
  readonly code: AnvilErrorCode;
  /** The `code` of the JSON-RPC error, with `RPC_ERROR` only. */
  readonly rpcCode: number | undefined;

  constructor(code: AnvilErrorCode, message: string, options: ErrorOptions & { readonly rpcCode?: number } = {}) {
    super(message, options);
    this.code = code;
    this.rpcCode = options.rpcCode;
  }
}
