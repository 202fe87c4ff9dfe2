import type { FilterNodes, MadeFilter, Stand } from '../../filters/filter-nodes';
import type { NodeFilter } from '../../filters/record';
import type { RequestContext } from '../../front/exchange';
import type { NodeView } from '../../nodes/node';
import { parseQuantity } from '../../rpc/block-param';
import { refusal } from '../../rpc/errors';
import type { HeadView } from '../../rpc/head-view';
import { methodRow } from '../../rpc/methods';
import type { Outcome } from '../../rpc/outcome';
import { ownRequest } from '../../rpc/own-request';
import { NodeError } from '../../upstream/errors';
import type { NodeBook, UpstreamRequest } from '../../upstream/failover-parts';
import { now } from '../../util/clock';
import type { ChainNodes } from './chain-nodes';

export interface ChainFilterNodesOptions {
  readonly nodes: ChainNodes;
  readonly book: NodeBook;
  readonly upstream: (request: UpstreamRequest, context: RequestContext) => Promise<Outcome>;
  /** Told of a defect where nobody waits. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds a node may take to tell the changes of a filter. */
  readonly timeoutMs: () => number;
}

/** Longer changes count as lost, and are computed. */
const HOLD_BYTES = 16 * 1024 * 1024;
const MAX_ID_BYTES = 128;
/** `0x` and 48 bits: further nobody counts. */
const RANDOM_ID_CHARS = 14;
/** When another node may do better, in milliseconds. */
const RETRY_SOON_MS = 1000;

/** The filters that the nodes of a chain keep: made on whichever node can, and then asked of that one only. */
export class ChainFilterNodes implements FilterNodes<RequestContext> {
  constructor(private readonly options: ChainFilterNodesOptions) {}

  async make(context: RequestContext, method: string, params: readonly unknown[]): Promise<MadeFilter> {
    const madeAt = now();
    const outcome = await this.options.upstream(makingOf(method, params, context.head), context);
    if (outcome.kind === 'stream') outcome.stream.destroy();
    if (outcome.kind === 'error' || outcome.kind === 'refused') return { kind: 'failed', outcome };
    const name = outcome.via?.node ?? '';
    const id = outcome.kind === 'result' ? idOf(outcome.result) : undefined;
    const mark = this.options.nodes.identityOf(name)?.mark;
    if (id !== undefined && mark !== undefined) return { kind: 'made', filter: { name, id, mark, madeAt } };
    const refused = refusal('NO_NODE', `${name} answered ${method} without an id`, RETRY_SOON_MS);
    return { kind: 'failed', outcome: { kind: 'refused', refused } };
  }

  async height(name: string): Promise<number | undefined> {
    const answer = await this.ask(name, 'eth_blockNumber', []);
    return answer && parseQuantity(textOf(answer) ?? '');
  }

  stand(filter: NodeFilter, head: HeadView): Stand {
    const node = this.keeperOf(filter);
    if (node?.head === undefined || node.health.state !== 'up' || node.ejected !== undefined) return { kind: 'gone' };
    if (node.restingUntil > now()) return { kind: 'unsure' };
    const { number, hash } = node.head;
    if (number >= head.number) {
      const hasHead = this.options.nodes.tracker.hasBlock(node.head, head.number);
      return hasHead ? { kind: 'at', block: { number: head.number, hash: head.hash } } : { kind: 'unsure' };
    }
    return head.hashAt(number) === hash ? { kind: 'at', block: { number, hash } } : { kind: 'unsure' };
  }

  rests(filter: NodeFilter): boolean {
    return (this.keeperOf(filter)?.restingUntil ?? 0) > now();
  }

  changes(filter: NodeFilter, { deadline }: RequestContext): Promise<Buffer | undefined> {
    const { name, id } = filter;
    const node = this.keeperOf(filter);
    const isThere = node !== undefined && node.health.state !== 'down' && node.ejected === undefined;
    return isThere ? this.ask(name, 'eth_getFilterChanges', [id], deadline) : Promise.resolve(undefined);
  }

  remove(filter: NodeFilter): void {
    const { name, id } = filter;
    if (this.keeperOf(filter) === undefined) return;
    this.ask(name, 'eth_uninstallFilter', [id]).catch(this.options.onError);
  }

  async raise(name: string, logs: Buffer): Promise<HeadView | undefined> {
    const { nodes } = this.options;
    const node = this.view(name);
    return node !== undefined && (await nodes.admits(node, logs)) ? nodes.head : undefined;
  }

  /** Undefined where it is not the node it was, or may have run anew since: the id may be of another filter by now. */
  private keeperOf({ name, id, mark, madeAt }: NodeFilter): NodeView | undefined {
    const identity = this.options.nodes.identityOf(name);
    if (identity?.mark !== mark) return undefined;
    const since = isCounted(id) ? identity.unbrokenSince : identity.downAt;
    return since < madeAt ? this.view(name) : undefined;
  }

  private view(name: string): NodeView | undefined {
    return this.options.nodes.registry.nodes.find((node) => node.name === name);
  }

  /**
   * Of this node and no other, once: what it told may be gone, so it is heard also where the caller leaves. Undefined
   * where it gave no result.
   */
  private async ask(
    name: string,
    method: string,
    params: readonly unknown[],
    deadline = Infinity,
  ): Promise<Buffer | undefined> {
    const { nodes, book } = this.options;
    const timeoutMs = Math.max(1, Math.min(this.options.timeoutMs(), deadline - performance.now()));
    const node = this.view(name);
    if (node === undefined) return undefined;
    const startedAt = performance.now();
    const limits = { timeoutMs, deadlineMs: timeoutMs, releasable: true, holdBytes: HOLD_BYTES };
    book.begin(node);
    try {
      const answer = await nodes.client(node).send(method, Buffer.from(JSON.stringify(params)), limits).answer;
      book.succeeded(node, performance.now() - startedAt, true);
      if (answer.kind === 'stream') answer.stream.destroy();
      return answer.kind === 'result' ? answer.result : undefined;
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      book.failed(node, error, true);
      if (error.retryAfterMs !== undefined) book.rest(node, error.retryAfterMs);
      return undefined;
    } finally {
      book.end(node);
    }
  }
}

/** A filter that was made twice is one that nobody asks for, and the node forgets it: so it may be asked of several. */
function makingOf(method: string, params: readonly unknown[], head: HeadView | undefined): UpstreamRequest {
  const request: UpstreamRequest = {
    method,
    row: { ...methodRow(method, () => false), repeat: 'read' },
    params: ownRequest(method, params).params.bytes,
    need: head === undefined ? { kind: 'none' } : { kind: 'head', number: head.number },
    at: undefined,
    proof: undefined,
    readsPending: false,
    wholeWanted: false,
    paramsByHash: undefined,
    pinnedTo: () => ({ ...request, need: { kind: 'none' } }),
  };
  return request;
}

/** The id of a filter as nodes give them: hexadecimal digits as a rule, and never long. */
function idOf(result: Buffer): string | undefined {
  const id = result.length <= MAX_ID_BYTES ? textOf(result) : undefined;
  return id !== undefined && /^[\w-]+$/.test(id) ? id : undefined;
}

/**
 * Whether a node may have counted up to this id, and so hands it out again when it runs anew. Of ids drawn at random
 * another run knows nothing, and says so.
 */
function isCounted(id: string): boolean {
  return id.length < RANDOM_ID_CHARS;
}

/** The text of a JSON string; undefined where the bytes are something else. */
function textOf(result: Buffer): string | undefined {
  const value: unknown = JSON.parse(result.toString('utf8'));
  return typeof value === 'string' ? value : undefined;
}
