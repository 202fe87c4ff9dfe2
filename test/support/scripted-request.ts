import { rawChildren, rawMember } from './scripted-json';
import type { WireRequest } from './scripted-wire';

/** One JSON-RPC request as it reached a scripted node, logged before anything is answered. */
export interface LoggedRequest {
  /** Empty when the body was not a JSON-RPC request. */
  readonly method: string;
  readonly params: unknown;
  readonly id: unknown;
  /** The id as it was spelled; undefined when there was none. */
  readonly rawId: string | undefined;
  /** The whole HTTP body; items of a batch share it. */
  readonly rawBody: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly verb: string;
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Counts the node's connections from 1. */
  readonly socketId: number;
  /** 1 for the first HTTP request on its connection. */
  readonly turn: number;
}

export type Arrival = Pick<LoggedRequest, 'at' | 'socketId' | 'turn'>;

/** The request of an HTTP body, or the items of a batch. What is no request becomes one without a method. */
export function toRequests(wire: WireRequest, arrival: Arrival): { requests: LoggedRequest[]; isBatch: boolean } {
  const parsed = parse(wire.body);
  const isBatch = Array.isArray(parsed) && parsed.length > 0;
  const items = isBatch ? rawChildren(wire.body).map((child) => child.raw) : [wire.body];
  return { requests: items.map((item) => toRequest(item, wire, arrival)), isBatch };
}

function toRequest(item: string, { body, ...wire }: WireRequest, arrival: Arrival): LoggedRequest {
  const parsed = parse(item);
  const { method, params, id } = (parsed ?? {}) as Record<'method' | 'params' | 'id', unknown>;
  const isRequest = typeof method === 'string';
  const rawId = isRequest ? rawMember(item, 'id') : 'null';
  return { ...wire, ...arrival, rawBody: body, method: isRequest ? method : '', params, id, rawId };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
