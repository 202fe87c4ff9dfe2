import { isUtf8 } from 'node:buffer';
import { type JsonKind, JsonScanner, type JsonVisitor } from '../rpc/json-scanner';
import { parseNodeResponse } from '../rpc/node-response';

/** Everything around a large result: version, id, and whatever a node adds. */
const MAX_ENVELOPE_BYTES = 4096;
const MAX_DEPTH = 4096;

/** The problem of a first part that holds no result; with more bytes it may. */
export const NO_RESULT_YET = 'the answer does not begin with its result';

/**
 * Cuts the result out of an answer that is too large to hold. The bytes around it are collected and, at the end,
 * read as the envelope they are, with `0` where the result was; so an id that comes after the result is checked too.
 *
 * ```text
 * {"jsonrpc":"2.0","id":7,"result":  [ … megabytes … ]  }
 * └──────────── envelope ─────────┘  └──── passed ────┘ └ envelope
 * ```
 */
export class ResultScanner implements JsonVisitor {
  private readonly scanner = new JsonScanner(this, MAX_DEPTH, 1);
  private readonly envelope: Buffer[] = [];
  private envelopeBytes = 0;
  private offset = 0;
  private chunk: Buffer = Buffer.alloc(0);
  private name = '';
  private start = -1;
  private end = -1;
  private rest = Buffer.alloc(0);

  constructor(private readonly id: number) {}

  /**
   * @param bytes the first call must hold everything up to the result's first byte.
   * @returns the part of `bytes` that belongs to the result (perhaps none), or a problem.
   */
  push(bytes: Buffer): Buffer | string {
    this.chunk = bytes;
    const base = this.offset;
    if (!this.scanner.push(bytes)) return `the answer is not JSON: ${this.scanner.problem}`;
    this.offset = base + bytes.length;
    if (this.start < 0) return NO_RESULT_YET;
    const from = Math.max(this.start - base, 0);
    const to = this.end < 0 ? bytes.length : Math.max(this.end - base, 0);
    if (from > 0) this.keep(bytes.subarray(0, from), true);
    if (to < bytes.length) this.keep(bytes.subarray(to), false);
    if (this.envelopeBytes > MAX_ENVELOPE_BYTES) return 'the answer has too much around its result';
    const part = bytes.subarray(from, to);
    return this.isText(part) ? part : 'the answer is not UTF-8';
  }

  /** Can the envelope, as far as it is known before the result's end, still turn out right? */
  mayMatch(): boolean {
    // Only what stands before the result: of what follows, any part may be there already.
    const sofar = Buffer.concat([...this.envelope.slice(0, 1), END]);
    const verdict = parseNodeResponse(sofar, this.id);
    return verdict.kind === 'result' || (verdict.kind === 'fault' && verdict.problem === 'the answer has no id');
  }

  /** @returns a problem, or undefined where the whole answer was right. */
  finish(): string | undefined {
    if (!this.scanner.end()) return `the answer is not JSON: ${this.scanner.problem}`;
    const verdict = parseNodeResponse(Buffer.concat(this.envelope), this.id);
    if (verdict.kind === 'result') return undefined;
    return verdict.kind === 'fault' ? verdict.problem : 'the answer has a result and an error';
  }

  open(depth: number, _kind: JsonKind, start: number): void {
    if (depth === 1 && this.name === 'result' && this.start < 0) this.start = start;
  }

  key(depth: number, start: number, end: number): void {
    // Names after the result may be split between chunks; they are read with the envelope.
    if (depth === 1) this.name = this.start < 0 ? this.chunk.toString('latin1', start + 1, end - 1) : '';
  }

  close(depth: number, _kind: JsonKind, _start: number, end: number): void {
    if (depth === 1 && this.start >= 0 && this.end < 0) this.end = end;
  }

  private keep(bytes: Buffer, before: boolean): void {
    this.envelopeBytes += bytes.length;
    if (this.envelopeBytes > MAX_ENVELOPE_BYTES) return;
    this.envelope.push(before ? Buffer.concat([bytes, ZERO]) : Buffer.from(bytes));
  }

  /** Strict UTF-8 over chunks: a character cut in two waits for its other half. */
  private isText(part: Buffer): boolean {
    if (part.length === 0) return true;
    const whole = this.rest.length === 0 ? part : Buffer.concat([this.rest, part]);
    const cut = this.end >= 0 ? whole.length : completeLength(whole);
    this.rest = Buffer.from(whole.subarray(cut));
    return isUtf8(whole.subarray(0, cut));
  }
}

const ZERO = Buffer.from('0');
const END = Buffer.from('}');

/** How many bytes there are before a character that the chunk's end may have cut (RFC 3629). */
function completeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return back < size ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}
