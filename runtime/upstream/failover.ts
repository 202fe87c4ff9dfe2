import type { NodeView } from '../nodes/node';
import type { BlockNeed } from '../rpc/block-need';
import type { BlockName, BlockRef } from '../rpc/block-ref';
import { refusal, type RefusalCode } from '../rpc/errors';
import type { Outcome, Via } from '../rpc/outcome';
import { rawTransactionHash } from '../rpc/transaction-hash';
import { type Answer, MAX_HELD_BYTES } from './attempt';
import { isCallersWords } from './callers-words';
import { classifyError } from './classify';
import { NodeError } from './errors';
import type { Caller, Confirmation, FailoverParts, UpstreamRequest } from './failover-parts';
import type { Sending } from './node-client';

/** Where the full-jitter back-off between rounds of all nodes starts, and how far it grows. */
const BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1000;
/** How long a node rests that refused for its rate limit without saying for how long. */
const DEFAULT_REST_MS = 1000;
/** What a caller is told who may try again when things have settled. */
const RETRY_SOON_MS = 1000;
/** How often a request backs off while all nodes are full: two to three seconds together. */
const BUSY_ROUNDS = 7;
const NULL = Buffer.from('null');
/** What a node says of a transaction that it has, or has mined, already. */
const SEEN = /already known|already imported|known transaction|nonce (is )?too low|underpriced|already exists/i;

/** Tries nodes one after another until one answers, within the rules. */
export class Failover<C extends Caller> {
  constructor(private readonly parts: FailoverParts<C>) {}

  run(request: UpstreamRequest, caller: C): Promise<Outcome> {
    this.parts.budget.request();
    return new Run(this.parts, request, caller).run();
  }

  /** Asks up to `most` nodes at once, each one time. @returns what those answered that did */
  async gather(request: UpstreamRequest, caller: C, most: number): Promise<Outcome[]> {
    const { pick } = this.parts;
    const nodes: NodeView[] = [];
    while (nodes.length < most) {
      const picked = pick(request, request.need, nodes, caller);
      if (picked.kind !== 'node') break;
      nodes.push(picked.node);
    }
    const outcomes = await Promise.all(nodes.map((node) => new Run(this.parts, request, caller).attempt(node)));
    return outcomes.filter((outcome) => outcome !== undefined);
  }
}

/** One request on its way through the nodes. */
class Run<C extends Caller> {
  private need: BlockNeed;
  private readonly tried: NodeView[] = [];
  private attempts = 0;
  private rounds = 0;
  private timeouts = 0;
  private notTaken = 0;
  /** Answers in a row that the pinned head is not there. */
  private missing = 0;
  /** The kindest answer so far: passed through when no node has a better one. */
  private last: Outcome | undefined;
  private lastFailure: NodeError | undefined;
  /** A node may have executed it although we did not hear so. */
  private ambiguous = false;
  private askedAgain = false;
  private waitedUntil: number | undefined;
  /** A node did not know the pinned hash: the chain may have been reorganised since, so only the number is left. */
  private hashIsGone = false;
  /** It is answered at another block than the one it was pinned to. */
  private repinned = false;

  constructor(
    private readonly parts: FailoverParts<C>,
    private request: UpstreamRequest,
    private readonly caller: C,
  ) {
    this.need = request.need;
  }

  async run(): Promise<Outcome> {
    const { pick } = this.parts;
    for (;;) {
      if (this.remaining() <= 0) return this.giveUp('DEADLINE', 'the deadline passed');
      if (this.caller.cancel.cancelled) return this.giveUp('NO_NODE', 'the caller left');
      if (!this.hasAttempts()) return this.giveUp('NO_NODE', attemptsFailed(this.attempts), RETRY_SOON_MS);
      const picked = pick(this.request, this.need, this.tried, this.caller);
      switch (picked.kind) {
        case 'node': {
          const done = await this.attempt(picked.node);
          if (done) return done;
          break;
        }
        case 'no-block':
          await this.waitOrSettleFor(picked.best);
          break;
        case 'resting':
          return this.giveUp('NO_NODE', 'all nodes ask for a pause', picked.retryAfterMs);
        case 'no-method':
          return this.giveUp('DENIED', `no node offers ${this.request.method}`);
        case 'no-node':
          return this.giveUp('NO_NODE', 'no node of this chain is available', RETRY_SOON_MS);
        case 'tried':
          // What every node answered already is not asked again; what failed on the way may be.
          if (this.last && !(this.hashIsGone && this.tried.length === 1)) return this.last;
          this.tried.length = 0;
          await this.backOff();
          break;
        case 'busy':
          if (this.rounds > BUSY_ROUNDS) return this.giveUp('OVERLOADED', 'all nodes are busy', RETRY_SOON_MS);
          await this.backOff();
      }
    }
  }

  private remaining(): number {
    return this.caller.deadline - performance.now();
  }

  /** @returns the outcome, or undefined where another node may do better. */
  async attempt(node: NodeView): Promise<Outcome | undefined> {
    const { book } = this.parts;
    const { row } = this.request;
    const light = row.effort === 'light';
    const startedAt = performance.now();
    this.attempts++;
    this.tried.push(node);
    book.begin(node);
    let streaming = false;
    try {
      const byHash = !this.hashIsGone && this.parts.takesHash(node) ? this.request.paramsByHash : undefined;
      const exact = byHash !== undefined;
      const answer = await this.ask(node, this.request.method, byHash ?? this.request.params);
      book.succeeded(node, performance.now() - startedAt, light);
      if (answer.kind === 'stream') {
        streaming = true;
        answer.stream.once('close', () => book.end(node));
        answer.stream.once('error', (error) => {
          // The reader's pace is not the node's fault.
          const blames = error instanceof NodeError && (error.code === 'RESET' || error.code === 'BAD_RESPONSE');
          if (blames) book.failed(node, error, light);
        });
      }
      return await this.judge(node, answer, exact);
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      return this.afterFailure(node, error);
    } finally {
      if (!streaming) book.end(node);
    }
  }

  private async ask(node: NodeView, method: string, params: Buffer): Promise<Answer> {
    const { client, rules } = this.parts;
    const { row } = this.request;
    const remaining = this.remaining();
    const allowed = row.effort === 'light' ? rules.lightTimeoutMs : rules.callTimeoutMs;
    const timeoutMs = row.effort === 'heavy' ? remaining : Math.min(allowed, remaining);
    const sending = client(node).send(method, params, {
      timeoutMs,
      deadlineMs: remaining,
      releasable: row.repeat !== 'once',
      ...(this.request.wholeWanted && { holdBytes: MAX_HELD_BYTES }),
    });
    return row.repeat === 'read' ? this.whileCalled(sending) : sending.answer;
  }

  /** Ends a read that nobody waits for any more; what may have effects is left to finish. */
  private async whileCalled(sending: Sending): Promise<Answer> {
    const { cancel } = this.caller;
    const leave = (): void => sending.cancel('CALLER_LEFT', 'the caller left');
    cancel.add(leave);
    try {
      return await sending.answer;
    } finally {
      cancel.remove(leave);
    }
  }

  private async judge(node: NodeView, answer: Answer, exact: boolean): Promise<Outcome | undefined> {
    if (answer.kind === 'stream') return this.judgeStream(node, answer);
    if (answer.kind === 'error') {
      const via = this.via(node, exact);
      return this.judgeError(node, { kind: 'error', error: answer.error, via }, answer.code, answer.message);
    }
    const { nullMeans } = this.request.row;
    const isSeen = !answer.isNull && (!this.mayNameNewBlock() || (await this.parts.admits(node, answer.result)));
    const result = isSeen ? answer.result : NULL;
    const confirming = exact ? 'certain' : this.parts.confirms(node, this.request, result);
    const confirmation = typeof confirming === 'string' ? confirming : await confirming;
    const strays = confirmation === 'stray';
    const outcome: Outcome = { kind: 'result', result, via: this.judged(node, confirmation) };
    if (isSeen && !strays) return outcome;
    const fault = strays || (nullMeans === 'fault' && this.isAtOrBelowHead());
    if (fault && (this.need.kind === 'head' || strays)) {
      this.last = outcome;
      return this.mayRepeat() ? this.afterMissingHead() : outcome;
    }
    if (nullMeans !== 'unseen' && !fault) return outcome;
    if (nullMeans === 'unseen' && this.askedAgain) return outcome;
    // One more node is asked, whatever the budget says: null is how a node that is behind answers.
    this.askedAgain = true;
    this.last ??= outcome;
    return undefined;
  }

  private via(node: NodeView, exact: boolean, counts = true): Via {
    return { node: node.name, exact, asAsked: !this.repinned && counts };
  }

  private judged(node: NodeView, confirmation: Confirmation): Via {
    const isCertain = confirmation === 'certain';
    const counts = isCertain || (confirmation === 'assumed' && this.request.proof === undefined);
    return this.via(node, isCertain, counts);
  }

  /** What is too large to look into is judged by where its node is now; meanwhile it waits. */
  private async judgeStream(node: NodeView, answer: Extract<Answer, { kind: 'stream' }>): Promise<Outcome | undefined> {
    if (this.mayNameNewBlock()) await this.parts.followHead(node);
    const confirmation = await this.parts.confirms(node, this.request, undefined);
    if (confirmation !== 'stray') return { ...answer, via: this.judged(node, confirmation) };
    answer.stream.destroy();
    return this.mayRepeat() ? this.afterMissingHead() : this.giveUp('NO_NODE', `${node.name} is on another branch`);
  }

  private async judgeError(
    node: NodeView,
    outcome: Outcome,
    code: number,
    message: string,
  ): Promise<Outcome | undefined> {
    const { book } = this.parts;
    if (this.ambiguous && SEEN.test(message)) return (await this.findOwn(node)) ?? outcome;
    const meaning = classifyError(code, message, this.request.row, (words) => isCallersWords(words, this.request));
    if (meaning === 'busy') {
      book.rest(node, DEFAULT_REST_MS);
      if (this.request.row.repeat === 'once') return outcome;
      return this.mayRepeat() ? undefined : this.giveUp('NO_NODE', `${node.name} asks for a pause`, DEFAULT_REST_MS);
    }
    if (meaning === 'no-method') book.noteMissingMethod(node, this.request.method);
    if (meaning === 'final') return outcome;
    if (meaning === 'missing-block' && this.need.kind === 'head') {
      this.last = outcome;
      return this.mayRepeat() ? this.afterMissingHead() : outcome;
    }
    const isAbove = meaning === 'missing-block' && this.need.kind !== 'none' && !this.isAtOrBelowHead();
    if (isAbove) return outcome;
    if (meaning === 'missing-state' && this.need.kind === 'state') book.noteMissingState(node, this.need.number);
    // Where no block is known to be missing, and where a node finds it too much, one more is asked and believed.
    const askOnce = meaning === 'refused' || (meaning === 'missing-block' && this.need.kind === 'none');
    if (askOnce && this.last) return outcome;
    this.last = outcome;
    return meaning === 'no-method' || this.mayRepeat() ? undefined : outcome;
  }

  /**
   * A node that was said to have the head does not know it. Another is asked by number; where that does not know it
   * either, the chain is changing under us, and the new head, once it is there, is read instead.
   */
  private async afterMissingHead(): Promise<undefined> {
    this.hashIsGone = true;
    if (++this.missing < 2) return;
    const { rules, nextBlock, head } = this.parts;
    const before = head()?.hash;
    const until = performance.now() + Math.min(rules.waitForBlockMs, this.remaining());
    for (let left = until - performance.now(); left > 0; left = until - performance.now()) {
      await nextBlock(left);
      const now = head();
      if (now === undefined || now.hash === before) continue;
      this.repin(now);
      this.tried.length = 0;
      return;
    }
  }

  private repin(block: BlockName): void {
    this.request = this.request.pinnedTo(block);
    this.need = this.request.need;
    this.repinned = true;
  }

  /** A transaction that an earlier attempt may have delivered: found under its hash, it was. */
  private async findOwn(node: NodeView): Promise<Outcome | undefined> {
    const hash = rawTransactionHash({ bytes: this.request.params });
    if (hash === undefined) return undefined;
    try {
      const answer = await this.ask(node, 'eth_getTransactionByHash', Buffer.from(`["${hash}"]`));
      const found = answer.kind === 'result' && !answer.isNull;
      return found ? { kind: 'result', result: Buffer.from(`"${hash}"`) } : undefined;
    } catch {
      return undefined;
    }
  }

  private afterFailure(node: NodeView, error: NodeError): Outcome | undefined {
    const { book } = this.parts;
    const { row } = this.request;
    // That the caller left tells nothing of the node.
    if (error.code === 'CALLER_LEFT') return this.giveUp('NO_NODE', 'the caller left');
    this.lastFailure = error;
    book.failed(node, error, row.effort === 'light');
    const asksForPause = error.retryAfterMs !== undefined && error.code !== 'NOT_TAKEN';
    if (error.code === 'RATE_LIMITED' || asksForPause) {
      book.rest(node, error.retryAfterMs ?? DEFAULT_REST_MS);
    }
    if (!error.sent) return undefined;
    if (row.repeat === 'once') {
      return this.giveUp('NO_NODE', `${error.message}; it was sent once and may have been executed`);
    }
    this.ambiguous ||= row.repeat === 'raw-transaction';
    // What two nodes could not do in time may be the request's fault.
    if (error.code === 'TIMEOUT' && ++this.timeouts === 2) return this.giveUp('DEADLINE', 'it timed out on two nodes');
    // What a node does not take for its size or form is asked of one more, and no more.
    if (error.code === 'NOT_TAKEN' && ++this.notTaken === 2) return this.giveUp('NO_NODE', 'two nodes do not take it');
    // Where attempts have run out, that is what the caller is told.
    if (!this.hasAttempts() || this.parts.budget.tryRepeat()) return undefined;
    return this.giveUp('NO_NODE', 'too many requests are being repeated (the retry budget is used up)', RETRY_SOON_MS);
  }

  private mayRepeat(): boolean {
    return this.hasAttempts() && this.parts.budget.tryRepeat();
  }

  private hasAttempts(): boolean {
    return this.attempts < this.parts.rules.maxAttempts;
  }

  /** Only look-ups by hash can, and reads above the head. */
  private mayNameNewBlock(): boolean {
    if (this.request.row.namesBlock === true) return true;
    return this.request.need.kind === 'block' && !this.isAtOrBelow(this.request.need.number);
  }

  private isAtOrBelowHead(): boolean {
    return this.need.kind !== 'none' && this.isAtOrBelow(this.need.number);
  }

  private isAtOrBelow(number: number): boolean {
    const head = this.parts.head();
    return head !== undefined && number <= head.number;
  }

  /**
   * No node has the block. It is waited for where it is due; then a read of the head takes the best block there is,
   * and a read above the head is sent as asked, for the node to answer as a node does.
   */
  private async waitOrSettleFor(best: BlockRef | undefined): Promise<void> {
    const { rules, nextBlock, head } = this.parts;
    if (this.need.kind === 'none') return;
    const headNow = head()?.number ?? this.need.number;
    const isDue = this.need.number <= headNow + 1;
    this.waitedUntil ??= performance.now() + rules.waitForBlockMs;
    const left = Math.min(this.waitedUntil - performance.now(), this.remaining());
    if (isDue && left > 0) {
      await nextBlock(left);
    } else if (this.need.kind === 'head' && best !== undefined) {
      this.repin(best);
    } else {
      this.need = { kind: 'none' };
    }
  }

  private async backOff(): Promise<void> {
    const most = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** this.rounds++, Math.max(0, this.remaining()));
    await new Promise((resolve) => setTimeout(resolve, this.parts.random() * most));
  }

  private giveUp(reason: RefusalCode, detail: string, retryAfterMs?: number): Outcome {
    // An answer that a node did give says more than our refusal.
    if (this.last) return this.last;
    const cause =
      this.lastFailure && !detail.includes(this.lastFailure.message) ? ` (${this.lastFailure.message})` : '';
    return { kind: 'refused', refused: refusal(reason, `${detail}${cause}`, retryAfterMs) };
  }
}

function attemptsFailed(count: number): string {
  return count === 1 ? 'the only attempt failed' : `${count} attempts failed`;
}
