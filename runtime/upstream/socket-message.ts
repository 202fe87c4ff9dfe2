/** What a node may say on a WebSocket, strictly; all else is a fault of the node. */
export type SocketMessage =
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly code: number }
  /** One of a subscription (https://geth.ethereum.org/docs/interacting-with-geth/rpc/pubsub). */
  | { readonly kind: 'told'; readonly subscription: string; readonly result: unknown }
  | { readonly kind: 'fault'; readonly problem: string };

/** Ids of subscriptions are 34 characters at most as far as nodes are known. */
const LONGEST_ID = 256;

export function parseSocketMessage(text: string): SocketMessage {
  const message = parse(text);
  if (!isRecord(message)) return fault('a message is no JSON object');
  if (message['jsonrpc'] !== '2.0') return fault('a message is not of JSON-RPC 2.0');
  return 'method' in message ? parseTold(message) : parseAnswer(message);
}

function parseTold({ method, params, id }: Record<string, unknown>): SocketMessage {
  if (method !== 'eth_subscription' || id !== undefined) return fault('it asks instead of answering');
  if (!isRecord(params) || !('result' in params)) return fault('a subscription told nothing');
  const { subscription, result } = params;
  if (!isSubscriptionId(subscription)) return fault('a subscription has no id');
  return { kind: 'told', subscription, result };
}

function parseAnswer(message: Record<string, unknown>): SocketMessage {
  const { id, result, error } = message;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) return fault('an answer has no id of ours');
  const isError = error !== undefined && error !== null;
  if (isError === (result !== undefined && result !== null)) {
    // A null result is one, as long as nothing else is said.
    return !isError && 'result' in message ? { kind: 'result', id, result } : fault('an answer says nothing, or both');
  }
  if (!isError) return { kind: 'result', id, result };
  const code = isRecord(error) ? error['code'] : undefined;
  return typeof code === 'number' ? { kind: 'error', id, code } : fault('an error has no code');
}

export function isSubscriptionId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_ID;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fault(problem: string): SocketMessage {
  return { kind: 'fault', problem };
}
