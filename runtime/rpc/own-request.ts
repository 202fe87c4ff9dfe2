import type { RpcRequest } from './message';

/** A request of our own, in the form of one that a caller sent. */
export function ownRequest(method: string, params: readonly unknown[]): RpcRequest {
  const items = params.map((param) => Buffer.from(JSON.stringify(param)));
  const spans: number[] = [];
  let at = 1;
  for (const { length } of items) {
    spans.push(at, at + length);
    at += length + 1;
  }
  return { id: undefined, method, params: { bytes: Buffer.from(`[${items.join(',')}]`), spans } };
}
