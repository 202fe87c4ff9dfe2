import { isUtf8 } from 'node:buffer';
import { type JsonKind, JsonScanner, type JsonVisitor } from './json-scanner';

/** A node's answer to one request, located in the bytes it came in (JSON-RPC 2.0, section 5). */
export type NodeResponse =
  | { readonly kind: 'result'; readonly result: Buffer; readonly isNull: boolean }
  | { readonly kind: 'error'; readonly error: Buffer; readonly code: number; readonly message: string }
  /** No answer to what was asked: the node's fault, and how. */
  | { readonly kind: 'fault'; readonly problem: string };

/** Nodes nest deeper than callers may: a call trace goes two levels per call, and calls nest to 1024 (EIP-150). */
const MAX_DEPTH = 4096;

/** @param id the integer we sent; anything else in its place is another request's answer, or nobody's. */
export function parseNodeResponse(bytes: Buffer, id: number): NodeResponse {
  if (bytes.length === 0) return fault('the answer is empty');
  if (!isUtf8(bytes)) return fault('the answer is not UTF-8');
  members.begin(bytes);
  scanner.reset(members, MAX_DEPTH, 1);
  if (!scanner.push(bytes) || !scanner.end()) return fault(`the answer is not JSON: ${scanner.problem}`);
  return members.judge(id);
}

function fault(problem: string): NodeResponse {
  return { kind: 'fault', problem };
}

class Members implements JsonVisitor {
  private bytes: Buffer = Buffer.alloc(0);
  private root: JsonKind = 'null';
  private name = '';
  private result: Buffer | undefined;
  private error: Buffer | undefined;
  private errorKind: JsonKind = 'null';
  private id: string | undefined;
  private twice = '';

  begin(bytes: Buffer): void {
    this.bytes = bytes;
    this.result = undefined;
    this.error = undefined;
    this.errorKind = 'null';
    this.id = undefined;
    this.twice = '';
  }

  open(depth: number, kind: JsonKind): void {
    if (depth === 0) this.root = kind;
  }

  key(depth: number, start: number, end: number): void {
    if (depth === 1) this.name = this.bytes.toString('latin1', start + 1, end - 1);
  }

  close(depth: number, kind: JsonKind, start: number, end: number): void {
    if (depth !== 1 || this.root !== 'object') return;
    switch (this.name) {
      case 'result':
        if (this.result !== undefined) this.twice = this.name;
        this.result = this.bytes.subarray(start, end);
        break;
      case 'error':
        if (this.error !== undefined) this.twice = this.name;
        this.error = this.bytes.subarray(start, end);
        this.errorKind = kind;
        break;
      case 'id':
        if (this.id !== undefined) this.twice = this.name;
        this.id = end - start > 32 ? 'a long id' : this.bytes.toString('latin1', start, end);
        break;
      default:
    }
  }

  judge(id: number): NodeResponse {
    const { root, result, error } = this;
    this.bytes = NOTHING;
    this.result = undefined;
    this.error = undefined;
    if (root !== 'object') return fault(`the answer is no object but ${root}`);
    if (this.twice !== '') return fault(`the answer has two members "${this.twice}"`);
    const hasError = error !== undefined && this.errorKind !== 'null';
    // Nothing of what the node wrote goes into a problem: it may quote the key it was called with.
    if (this.id !== String(id)) return fault(`the answer has ${this.id === undefined ? 'no id' : 'another id'}`);
    if (hasError) {
      if (result !== undefined && !isNull(result)) return fault('the answer has a result and an error');
      if (this.errorKind !== 'object') return fault('the error is no object');
      return { kind: 'error', error, ...errorParts(error) };
    }
    if (result === undefined) return fault('the answer has neither a result nor an error');
    return { kind: 'result', result, isNull: isNull(result) };
  }
}

const NOTHING = Buffer.alloc(0);
// Parsing is synchronous, so one of each serves the whole process.
const members = new Members();
const scanner = new JsonScanner(members, MAX_DEPTH, 1);

function isNull(bytes: Buffer): boolean {
  return bytes.length === 4 && bytes[0] === 0x6e;
}

/** Code and message of an error object; sizes are the node's choice, so large ones are read in part only. */
function errorParts(error: Buffer): { code: number; message: string } {
  try {
    const value = JSON.parse(error.toString('utf8')) as { code?: unknown; message?: unknown };
    return {
      code: typeof value.code === 'number' ? value.code : 0,
      message: typeof value.message === 'string' ? value.message.slice(0, 4096) : '',
    };
  } catch {
    return { code: 0, message: '' };
  }
}
