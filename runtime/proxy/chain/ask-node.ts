import type { NodeClient } from '../../upstream/node-client';

export interface NodeQuestion {
  /** The node's name, for messages. */
  readonly node: string;
  readonly method: string;
  readonly params: readonly unknown[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A question of our own to a node, outside failover. Rejects with an error that has a `code`. */
export async function askNode(client: NodeClient, question: NodeQuestion): Promise<unknown> {
  const { node, method, params, timeoutMs, signal } = question;
  const limits = { timeoutMs, deadlineMs: timeoutMs, releasable: false };
  const sending = client.send(method, Buffer.from(JSON.stringify(params)), limits);
  const cancel = (): void => sending.cancel('TIMEOUT', `${node} did not answer a probe within ${timeoutMs} ms`);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const answer = await sending.answer;
    if (answer.kind === 'result') return JSON.parse(answer.result.toString('utf8'));
    if (answer.kind === 'error') throw new RefusedProbe(answer.code);
    answer.stream.destroy();
    throw Object.assign(new Error('a probe was answered at length'), { code: 'TOO_LARGE' });
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** A node answered a question of ours with a JSON-RPC error. */
class RefusedProbe extends Error {
  readonly code: string;

  constructor(readonly rpcCode: number) {
    super(`a probe was refused with code ${rpcCode}`);
    this.code = String(rpcCode);
  }
}
