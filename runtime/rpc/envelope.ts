/** The envelopes we write (JSON-RPC 2.0, sections 4 and 5): small integer ids to nodes, the caller's id back. */

const RESULT = Buffer.from(',"result":');
const ERROR = Buffer.from(',"error":');
const HEAD = Buffer.from('{"jsonrpc":"2.0","id":');
const END = Buffer.from('}');

/** @param params JSON bytes, sent as they are. */
export function requestEnvelope(id: number, method: string, params: Buffer): Buffer {
  const head = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":`;
  const headLength = Buffer.byteLength(head);
  const bytes = Buffer.allocUnsafe(headLength + params.length + 1);
  bytes.write(head, 0);
  params.copy(bytes, headLength);
  bytes[bytes.length - 1] = 0x7d;
  return bytes;
}

/** @param id the caller's id, byte for byte. */
export function resultEnvelope(id: Buffer, result: Buffer): Buffer {
  return Buffer.concat([HEAD, id, RESULT, result, END]);
}

/** @param error the bytes of an error object. */
export function errorEnvelope(id: Buffer, error: Buffer): Buffer {
  return Buffer.concat([HEAD, id, ERROR, error, END]);
}

/** What goes before and after a result that streams. */
export function resultFrame(id: Buffer): { head: Buffer; end: Buffer } {
  return { head: Buffer.concat([HEAD, id, RESULT]), end: END };
}
