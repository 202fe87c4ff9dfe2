import { parseBlock } from '../../nodes/probe';
import { toQuantity } from '../../rpc/block-param';
import type { BlockRef } from '../../rpc/block-ref';
import type { NodeClient } from '../../upstream/node-client';
import { askNode } from './ask-node';

export interface NodeQuestionsOptions {
  /** @throws NodeError where no node has the name */
  readonly client: (node: string) => NodeClient;
  /** A question goes to the node. */
  readonly onAsk: (node: string) => void;
  /** Nothing is asked any more. */
  readonly signal: AbortSignal;
}

/** How long a question may take, in milliseconds. */
const ASK_MS = 2000;

/** Questions of our own to one node, outside failover. */
export class NodeQuestions {
  constructor(private readonly options: NodeQuestionsOptions) {}

  /** Rejects with an error that has a `code`. */
  async ask(
    node: string,
    method: string,
    params: readonly unknown[],
    timeoutMs = ASK_MS,
    signal = this.options.signal,
  ): Promise<unknown> {
    const { client, onAsk } = this.options;
    const to = client(node);
    onAsk(node);
    return askNode(to, { node, method, params, timeoutMs, signal });
  }

  /** The hash the node shows at a number now; null where it has no such block, undefined where it does not answer. */
  async shownAt(node: string, number: number): Promise<string | null | undefined> {
    try {
      const block = await this.ask(node, 'eth_getBlockByNumber', [toQuantity(number), false]);
      return block === null ? null : parseBlock(block).hash;
    } catch {
      return undefined;
    }
  }

  /** @param block a number as a quantity, or a tag. Undefined where it has none, or does not answer. */
  async blockAt(node: string, block: string): Promise<BlockRef | undefined> {
    try {
      return parseBlock(await this.ask(node, 'eth_getBlockByNumber', [block, false]));
    } catch {
      return undefined;
    }
  }
}
