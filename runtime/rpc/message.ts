import { isUtf8 } from 'node:buffer';
import { type Refusal, refusal } from './errors';
import { type JsonKind, JsonScanner, type JsonVisitor } from './json-scanner';

/** A request as it was sent: what matters is located, nothing is converted (JSON-RPC 2.0, section 4). */
export interface RpcRequest {
  /** The id's bytes, to be returned as they came; undefined for a notification. */
  readonly id: Buffer | undefined;
  readonly method: string;
  readonly params: RpcParams;
}

/** The params' bytes and, where they are a list, where each item stands in them. */
export interface RpcParams {
  /** `[]` where the caller left params out or sent null. */
  readonly bytes: Buffer;
  /**
   * Start and end of the first items, flat: item i is `bytes[spans[2i], spans[2i+1])`. Empty for named params.
   */
  readonly spans: readonly number[];
}

/** An item that is no request, with the id to answer it under. */
export interface InvalidItem {
  readonly id: Buffer;
  readonly refused: Refusal;
}

export type MessageItem = RpcRequest | InvalidItem;

export type RpcMessage =
  | { readonly kind: 'single'; readonly item: MessageItem }
  | { readonly kind: 'batch'; readonly items: readonly MessageItem[] }
  | { readonly kind: 'refused'; readonly refused: Refusal };

export interface MessageBounds {
  readonly maxDepth: number;
  readonly maxBatchItems: number;
}

export const NULL_ID = Buffer.from('null');
/** Items of params that are located; no method has its block argument further back. */
const LOCATED_PARAMS = 8;
const NO_PARAMS: RpcParams = { bytes: Buffer.from('[]'), spans: [] };

export function isInvalid(item: MessageItem): item is InvalidItem {
  return 'refused' in item;
}

/** Reads one HTTP body or WebSocket message. Never throws: whatever the bytes are, the answer says what they were. */
export function parseMessage(bytes: Buffer, bounds: MessageBounds): RpcMessage {
  if (!isUtf8(bytes)) return refuse('PARSE_ERROR', 'the body is not UTF-8');
  reader.begin(bytes, bounds.maxBatchItems);
  scanner.reset(reader, bounds.maxDepth, 3);
  const accepted = scanner.push(bytes) && scanner.end();
  if (!accepted) {
    // Bytes that nest too deeply are well-formed as far as was read: the request is refused, not the JSON.
    const reason = scanner.problem.startsWith('nested') ? 'INVALID_REQUEST' : 'PARSE_ERROR';
    return refuse(reason, scanner.problem);
  }
  return reader.finish();
}

function refuse(reason: 'PARSE_ERROR' | 'INVALID_REQUEST', detail: string): RpcMessage {
  return { kind: 'refused', refused: refusal(reason, detail) };
}

type MemberName = 'jsonrpc' | 'id' | 'method' | 'params';

/**
 * Collects the members of one request while they are scanned. Members are known by their decoded names, so that
 * `"m\u0065thod"` is `method` and `"Method"` is not; a name given twice is refused, because readers differ on which
 * of the two they believe.
 */
class ItemReader {
  private idStart = -1;
  private idEnd = -1;
  private method: string | undefined;
  private paramsStart = -1;
  private paramsEnd = -1;
  private spans: number[] = [];
  private version = false;
  private problem = '';
  private seen = 0;

  /** @returns whether the member is one of ours. */
  name(bytes: Buffer, start: number, end: number): MemberName | undefined {
    const name = decodeString(bytes, start, end);
    const bit = name === 'jsonrpc' ? 1 : name === 'id' ? 2 : name === 'method' ? 4 : name === 'params' ? 8 : 0;
    if (bit === 0) return undefined;
    if ((this.seen & bit) !== 0) this.blame(`the member "${name}" stands twice`);
    this.seen |= bit;
    return name as MemberName;
  }

  paramsItem(start: number, end: number): void {
    if (this.spans.length < 2 * LOCATED_PARAMS) this.spans.push(start, end);
  }

  member(name: MemberName, bytes: Buffer, kind: JsonKind, start: number, end: number): void {
    switch (name) {
      case 'jsonrpc':
        this.version = kind === 'string' && decodeString(bytes, start, end) === '2.0';
        break;
      case 'id':
        if (kind === 'string' || kind === 'number' || kind === 'null') {
          this.idStart = start;
          this.idEnd = end;
        } else {
          this.blame(`the id must be a string, a number or null, got ${article(kind)}`);
        }
        break;
      case 'method':
        if (kind === 'string') this.method = decodeString(bytes, start, end);
        else this.blame(`the method must be a string, got ${article(kind)}`);
        break;
      case 'params':
        if (kind === 'array' || kind === 'object') {
          this.paramsStart = start;
          this.paramsEnd = end;
        } else if (kind !== 'null') {
          this.blame(`params must be an array or an object, got ${article(kind)}`);
        }
        break;
    }
  }

  blame(problem: string): void {
    if (this.problem === '') this.problem = problem;
  }

  finish(bytes: Buffer): MessageItem {
    const id = this.idStart < 0 ? undefined : bytes.subarray(this.idStart, this.idEnd);
    if (!this.version) this.blame('the member "jsonrpc" must be "2.0"');
    if (this.method === undefined) this.blame('the member "method" is missing');
    if (this.problem !== '' || this.method === undefined) {
      return { id: id ?? NULL_ID, refused: refusal('INVALID_REQUEST', this.problem) };
    }
    return { id, method: this.method, params: this.params(bytes) };
  }

  private params(bytes: Buffer): RpcParams {
    if (this.paramsStart < 0) return NO_PARAMS;
    const spans = this.spans;
    for (let i = 0; i < spans.length; i++) spans[i] = (spans[i] ?? 0) - this.paramsStart;
    return { bytes: bytes.subarray(this.paramsStart, this.paramsEnd), spans };
  }
}

/** Drives one ItemReader for a single request, or one after another for a batch. */
class MessageReader implements JsonVisitor {
  private bytes: Buffer = NULL_ID;
  private maxItems = 0;
  private batch = false;
  private root: JsonKind = 'null';
  private items: MessageItem[] = [];
  private count = 0;
  private item: ItemReader | undefined;
  private member: MemberName | undefined;
  private inParamsList = false;

  begin(bytes: Buffer, maxItems: number): void {
    this.bytes = bytes;
    this.maxItems = maxItems;
    this.batch = false;
    this.items = [];
    this.count = 0;
    this.item = undefined;
    this.member = undefined;
    this.inParamsList = false;
  }

  open(depth: number, kind: JsonKind): void {
    if (depth === 0) {
      this.root = kind;
      this.batch = kind === 'array';
    }
    const level = this.batch ? depth - 1 : depth;
    if (level === 0 && depth <= 1) {
      this.count++;
      this.item = kind === 'object' && this.count <= this.maxItems ? new ItemReader() : undefined;
      this.member = undefined;
    } else if (level === 1) {
      this.inParamsList = this.member === 'params' && kind === 'array';
    }
  }

  key(depth: number, start: number, end: number): void {
    if (depth === (this.batch ? 2 : 1)) this.member = this.item?.name(this.bytes, start, end);
  }

  close(depth: number, kind: JsonKind, start: number, end: number): void {
    const level = this.batch ? depth - 1 : depth;
    if (level === 2) {
      if (this.inParamsList) this.item?.paramsItem(start, end);
    } else if (level === 1) {
      if (this.member !== undefined) this.item?.member(this.member, this.bytes, kind, start, end);
      this.inParamsList = false;
    } else if (level === 0 && this.count <= this.maxItems) {
      this.items.push(this.item?.finish(this.bytes) ?? notAnObject(kind));
    }
  }

  finish(): RpcMessage {
    const items = this.items;
    this.bytes = NULL_ID;
    this.item = undefined;
    this.items = [];
    if (!this.batch) {
      const item = items[0] ?? notAnObject(this.root);
      return { kind: 'single', item };
    }
    if (this.count === 0) return refuse('INVALID_REQUEST', 'the batch is empty');
    if (this.count > this.maxItems) {
      return refuse('INVALID_REQUEST', `a batch may hold ${this.maxItems} items, got ${this.count}`);
    }
    return { kind: 'batch', items };
  }
}

// Parsing is synchronous, so one reader and one scanner serve every message of the process.
const reader = new MessageReader();
const scanner = new JsonScanner(reader, 0, 0);

function notAnObject(kind: JsonKind): InvalidItem {
  return { id: NULL_ID, refused: refusal('INVALID_REQUEST', `a request must be an object, got ${article(kind)}`) };
}

function article(kind: JsonKind): string {
  switch (kind) {
    case 'object':
    case 'array':
      return `an ${kind}`;
    case 'string':
    case 'number':
      return `a ${kind}`;
    default:
      return kind;
  }
}

/** The text of a JSON string; the plain case, without escapes, is cut out as it stands. */
function decodeString(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start + 1, end - 1);
  return text.includes('\\') ? (JSON.parse(bytes.toString('utf8', start, end)) as string) : text;
}
