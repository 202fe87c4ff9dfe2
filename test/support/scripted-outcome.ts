export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export type RpcOutcome = { readonly result: unknown } | { readonly error: RpcError };

export function ok(result: unknown): RpcOutcome {
  return { result };
}

export function failed(code: number, message: string): RpcOutcome {
  return { error: { code, message } };
}
