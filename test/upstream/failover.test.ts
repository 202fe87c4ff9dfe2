import { Readable } from 'node:stream';
import type { NodeView } from '../../runtime/nodes/node';
import { type BlockNeed, NO_NEED } from '../../runtime/rpc/block-need';
import { methodRow } from '../../runtime/rpc/methods';
import type { Outcome } from '../../runtime/rpc/outcome';
import { rawTransactionHash } from '../../runtime/rpc/transaction-hash';
import type { Answer } from '../../runtime/upstream/attempt';
import { NodeError, type NodeErrorCode, type NodeErrorOptions } from '../../runtime/upstream/errors';
import { Failover } from '../../runtime/upstream/failover';
import type {
  Caller,
  Confirmation,
  FailoverParts,
  Picked,
  UpstreamRequest,
} from '../../runtime/upstream/failover-parts';
import type { NodeClient, Sending } from '../../runtime/upstream/node-client';
import type { ResultStream } from '../../runtime/upstream/result-stream';
import { RetryBudget } from '../../runtime/upstream/retry-budget';
import { Cancellation } from '../../runtime/util/cancellation';

type Reply = Answer | NodeError | 'never';

interface Asked {
  readonly node: string;
  readonly method: string;
  readonly params: string;
}

interface Bed {
  readonly asked: Asked[];
  /** What the book was told, in order. */
  readonly told: string[];
  run(request: UpstreamRequest, caller?: Partial<Caller>): Promise<Outcome>;
}

const result = (text: string): Answer => ({ kind: 'result', result: Buffer.from(text), isNull: text === 'null' });
const rpcError = (code: number, message: string): Answer => ({
  kind: 'error',
  error: Buffer.from(JSON.stringify({ code, message })),
  code,
  message,
});
const failed = (code: NodeErrorCode, options?: NodeErrorOptions): NodeError =>
  new NodeError(code, `n: ${code}`, options);

function request(method: string, { params = '[]', need = NO_NEED }: { params?: string; need?: BlockNeed } = {}) {
  const made: UpstreamRequest = {
    method,
    row: methodRow(method, () => false),
    params: Buffer.from(params),
    need,
    at: undefined,
    readsPending: false,
    proof: undefined,
    wholeWanted: false,
    paramsByHash: undefined,
    pinnedTo: ({ number }) => request(method, { params: `["${number}"]`, need: { kind: 'head', number } }),
  };
  return made;
}

const head = { number: 100, hash: `0x${'a'.repeat(64)}` };

/** Nodes a, b and c, picked in turn, with the replies each gives one after another, the last for ever. */
function bed(replies: Readonly<Record<string, readonly Reply[]>>, parts: Partial<FailoverParts<Caller>> = {}): Bed {
  const asked: Asked[] = [];
  const told: string[] = [];
  const nodes = Object.keys(replies).map((name) => ({ name }) as NodeView);
  const book =
    (what: string) =>
    (node: NodeView, ...rest: readonly unknown[]): void =>
      void told.push(
        [what, node.name, ...rest.map((one) => (one instanceof NodeError ? one.code : String(one)))].join(' '),
      );
  const failover = new Failover<Caller>({
    rules: { maxAttempts: 3, lightTimeoutMs: 100, callTimeoutMs: 100, waitForBlockMs: 20 },
    budget: new RetryBudget(100, 100, () => 0),
    book: {
      begin: () => undefined,
      end: book('end'),
      succeeded: (node) => book('ok')(node),
      failed: (node, error) => book('failed')(node, error),
      rest: book('rest'),
      noteMissingState: book('missing state'),
      noteMissingMethod: book('missing method'),
    },
    confirms: () => 'assumed',
    followHead: () => Promise.resolve(),
    pick: (_request, _need, tried): Picked => {
      const node = nodes.find((one) => !tried.includes(one));
      return node ? { kind: 'node', node } : { kind: 'tried' };
    },
    client: ({ name }) =>
      ({
        send: (method: string, params: Buffer): Sending => {
          const turn = asked.filter(({ node }) => node === name).length;
          const list = replies[name] ?? [];
          const reply = list[Math.min(turn, list.length - 1)] ?? 'never';
          asked.push({ node: name, method, params: params.toString() });
          let cancel: Sending['cancel'] = () => undefined;
          const answer = new Promise<Answer>((resolve, reject) => {
            cancel = (code, message) => reject(new NodeError(code, message));
            if (reply instanceof NodeError) reject(reply);
            else if (reply !== 'never') resolve(reply);
          });
          return { answer, cancel };
        },
      }) as unknown as NodeClient,
    takesHash: () => false,
    admits: () => Promise.resolve(true),
    head: () => head,
    nextBlock: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: () => 0,
    ...parts,
  });
  return {
    asked,
    told,
    run: (made, caller) =>
      failover.run(made, { deadline: performance.now() + 2000, cancel: new Cancellation(), ...caller }),
  };
}

function brief(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'result':
      return outcome.result.toString();
    case 'error':
      return outcome.error.toString();
    case 'stream':
      return 'stream';
    case 'refused':
      return `${outcome.refused.reason} ${outcome.refused.message}`;
  }
}

const visited = ({ asked }: Bed): string => asked.map(({ node }) => node).join('');

describe('a read', () => {
  it.each<[NodeErrorCode]>([
    ['CONNECT_FAILED'],
    ['CONNECT_TIMEOUT'],
    ['TLS_FAILED'],
    ['FORBIDDEN_ADDRESS'],
    ['RESET'],
    ['TIMEOUT'],
    ['NODE_DOWN'],
    ['SERVER_ERROR'],
    ['UNAUTHORIZED'],
    ['REDIRECT'],
    ['RATE_LIMITED'],
    ['BAD_RESPONSE'],
    ['TOO_LARGE'],
  ])('goes to another node after %s', async (code) => {
    const made = bed({ a: [failed(code)], b: [result('1')] });
    expect(brief(await made.run(request('eth_call')))).toBe('1');
    expect(visited(made)).toBe('ab');
    expect(made.told).toContain(`failed a ${code}`);
    expect(made.told.filter((one) => one.startsWith('end'))).toEqual(['end a', 'end b']);
  });

  it.each([
    [-32000, 'header not found', { kind: 'block', number: 100 }],
    [-32000, 'missing trie node', { kind: 'state', number: 100 }],
    [-32000, 'node is syncing', NO_NEED],
    [-32601, 'no such method', NO_NEED],
    [-32005, 'rate limited', NO_NEED],
    [-32005, 'query returned more than 10000 results', NO_NEED],
    [-32603, 'internal error', NO_NEED],
  ] as const)('goes to another node after %i %s', async (code, message, need) => {
    const made = bed({ a: [rpcError(code, message)], b: [result('1')] });
    expect(brief(await made.run(request('eth_call', { need })))).toBe('1');
    expect(visited(made)).toBe('ab');
  });

  it("passes the caller's own fault through after one attempt", async () => {
    const made = bed({ a: [rpcError(3, 'execution reverted')], b: [result('1')] });
    expect(brief(await made.run(request('eth_call')))).toBe('{"code":3,"message":"execution reverted"}');
    expect(visited(made)).toBe('a');
  });

  it('takes a refusal for its size to one more node, and believes that one', async () => {
    const made = bed({
      a: [rpcError(-32005, 'block range too large')],
      b: [rpcError(-32005, 'limited to 10k')],
      c: [result('1')],
    });
    expect(brief(await made.run(request('eth_getLogs')))).toContain('limited to 10k');
    expect(visited(made)).toBe('ab');
    expect(made.told.join()).not.toContain('rest');
  });

  it('lets a node rest that asks for it, for as long as it asks', async () => {
    const made = bed({
      a: [failed('RATE_LIMITED', { retryAfterMs: 3000 })],
      b: [rpcError(-32005, 'rate limit')],
      c: [result('1')],
    });
    expect(brief(await made.run(request('eth_call')))).toBe('1');
    expect(made.told).toEqual(expect.arrayContaining(['rest a 3000', 'rest b 1000']));
  });

  it('ends after as many attempts as it may have', async () => {
    const made = bed({ a: [failed('RESET')], b: [failed('SERVER_ERROR')] });
    expect(brief(await made.run(request('eth_call')))).toMatch(/^NO_NODE .*SERVER_ERROR|^NO_NODE .*RESET/);
    // Different ones first.
    expect(visited(made)).toBe('aba');
  });

  it('ends when it timed out on two nodes: it may be the request', async () => {
    const made = bed({ a: [failed('TIMEOUT')], b: [failed('TIMEOUT')], c: [result('1')] });
    expect(brief(await made.run(request('eth_call')))).toMatch(/^DEADLINE .*two nodes/);
    expect(visited(made)).toBe('ab');
  });

  it('asks one more node where one does not take the request for its size or form, and blames nobody', async () => {
    const taken = bed({ a: [failed('NOT_TAKEN')], b: [result('1')] });
    expect(brief(await taken.run(request('eth_call')))).toBe('1');
    const refused = bed({ a: [failed('NOT_TAKEN')], b: [failed('NOT_TAKEN')], c: [result('1')] });
    expect(brief(await refused.run(request('eth_call')))).toMatch(/^NO_NODE .*two nodes do not take it/);
    expect(visited(refused)).toBe('ab');
    expect(failed('NOT_TAKEN').ejects).toBe(false);
  });

  it('tells attempts that ran out from a retry budget that is used up', async () => {
    const made = bed({ a: [failed('RESET')], b: [failed('RESET')], c: [failed('RESET')], d: [result('1')] });
    expect(brief(await made.run(request('eth_call')))).toMatch(/^NO_NODE .*3 attempts failed/);
  });

  it('ends when the retry budget is used up', async () => {
    const made = bed({ a: [failed('RESET')], b: [result('1')] }, { budget: new RetryBudget(0, 0, () => 0) });
    expect(brief(await made.run(request('eth_call')))).toMatch(/^NO_NODE .*retry budget/);
    // What was not sent costs no budget.
    const unsent = bed({ a: [failed('CONNECT_FAILED')], b: [result('1')] }, { budget: new RetryBudget(0, 0, () => 0) });
    expect(brief(await unsent.run(request('eth_call')))).toBe('1');
  });

  it('is not begun after its deadline', async () => {
    const made = bed({ a: [result('1')] });
    expect(brief(await made.run(request('eth_call'), { deadline: performance.now() - 1 }))).toMatch(/^DEADLINE/);
    expect(made.asked).toEqual([]);
  });

  it('ends with its caller, who is nobody else’s fault', async () => {
    const made = bed({ a: ['never'], b: [result('1')] });
    const cancel = new Cancellation();
    const running = made.run(request('eth_call'), { cancel });
    cancel.cancel();
    expect((await running).kind).toBe('refused');
    expect(visited(made)).toBe('a');
    expect(made.told).toEqual(['end a']);
  });

  it('says what routing says when there is nobody to ask', async () => {
    const told = async (picked: Picked): Promise<string> =>
      brief(
        await bed({ a: [result('1')] }, { pick: () => picked }).run(request('eth_call'), {
          deadline: performance.now() + 3000,
        }),
      );
    expect(await told({ kind: 'resting', retryAfterMs: 5 })).toMatch(/^NO_NODE .*pause/);
    expect(await told({ kind: 'no-method' })).toMatch(/^DENIED .*eth_call/);
    expect(await told({ kind: 'no-node' })).toMatch(/^NO_NODE/);
    expect(await told({ kind: 'busy' })).toMatch(/^OVERLOADED/);
  });

  it('asks one more node for what the first has not seen, whatever the budget says', async () => {
    const made = bed({ a: [result('null')], b: [result('{"found":1}')] }, { budget: new RetryBudget(0, 0, () => 0) });
    expect(brief(await made.run(request('eth_getTransactionReceipt')))).toBe('{"found":1}');
    const both = bed({ a: [result('null')], b: [result('null')], c: [result('1')] });
    expect(brief(await both.run(request('eth_getTransactionReceipt')))).toBe('null');
    expect(visited(both)).toBe('ab');
  });

  it('takes null for an answer where it is one', async () => {
    const above = bed({ a: [result('null')], b: [result('1')] });
    expect(brief(await above.run(request('eth_getBlockByNumber', { need: { kind: 'block', number: 101 } })))).toBe(
      'null',
    );
    const below = bed({ a: [result('null')], b: [result('{"number":"0x63"}')] });
    expect(brief(await below.run(request('eth_getBlockByNumber', { need: { kind: 'block', number: 99 } })))).toBe(
      '{"number":"0x63"}',
    );
  });

  it('remembers of a node what it lacks', async () => {
    const made = bed({ a: [rpcError(-32000, 'missing trie node')], b: [rpcError(-32601, 'no')], c: [result('1')] });
    await made.run(request('eth_call', { need: { kind: 'state', number: 5 } }));
    expect(made.told).toEqual(expect.arrayContaining(['missing state a 5', 'missing method b eth_call']));
  });
});

describe('a raw transaction', () => {
  const raw = '["0x02f8"]';
  const hash = rawTransactionHash({ bytes: Buffer.from(raw) }) ?? '';

  it.each(['already known', 'nonce too low', 'already imported', 'replacement transaction underpriced'])(
    'whose first answer was lost succeeds when the next node says %s and has it',
    async (words) => {
      const made = bed({ a: [failed('RESET')], b: [rpcError(-32000, words), result('{"hash":"x"}')] });
      expect(brief(await made.run(request('eth_sendRawTransaction', { params: raw })))).toBe(`"${hash}"`);
      expect(made.asked.at(-1)).toEqual({ node: 'b', method: 'eth_getTransactionByHash', params: `["${hash}"]` });
    },
  );

  it('is told the truth when nobody has it', async () => {
    const made = bed({ a: [failed('RESET')], b: [rpcError(-32000, 'nonce too low'), result('null')] });
    expect(brief(await made.run(request('eth_sendRawTransaction', { params: raw })))).toContain('nonce too low');
  });

  it('that is known at the first attempt was sent by somebody before', async () => {
    const made = bed({ a: [rpcError(-32000, 'already known')], b: [result('1')] });
    expect(brief(await made.run(request('eth_sendRawTransaction', { params: raw })))).toContain('already known');
    expect(visited(made)).toBe('a');
  });

  it('runs on when its caller leaves', async () => {
    const made = bed({ a: ['never'] });
    const cancel = new Cancellation();
    const running = made.run(request('eth_sendRawTransaction', { params: raw }), { cancel });
    cancel.cancel();
    const first = await Promise.race([running, new Promise((resolve) => setTimeout(() => resolve('running'), 20))]);
    expect(first).toBe('running');
  });
});

describe('what may run once only', () => {
  it.each(['eth_sendTransaction', 'personal_sign', 'custom_unknown'])(
    '%s is repeated where nothing was sent',
    async (method) => {
      const made = bed({ a: [failed('CONNECT_FAILED')], b: [failed('RESET', { sent: false })], c: [result('"0x1"')] });
      expect(brief(await made.run(request(method)))).toBe('"0x1"');
      expect(visited(made)).toBe('abc');
    },
  );

  it.each<[NodeErrorCode]>([
    ['RESET'],
    ['TIMEOUT'],
    ['SERVER_ERROR'],
    ['BAD_RESPONSE'],
    ['RATE_LIMITED'],
    ['NODE_DOWN'],
    ['REDIRECT'],
  ])('is not repeated after %s, and the caller is told why', async (code) => {
    const made = bed({ a: [failed(code)], b: [result('"0x1"')] });
    expect(brief(await made.run(request('eth_sendTransaction')))).toMatch(/^NO_NODE .*may have been executed/);
    expect(visited(made)).toBe('a');
  });

  it('believes the node that answered, whatever it answered', async () => {
    for (const words of ['internal error', 'header not found', 'missing trie node']) {
      const made = bed({ a: [rpcError(-32603, words)], b: [result('"0x1"')] });
      expect(brief(await made.run(request('eth_sendTransaction')))).toContain(words);
      expect(visited(made)).toBe('a');
    }
  });

  it('goes on where a node says that it knows no such method', async () => {
    const made = bed({ a: [rpcError(-32601, 'no such method')], b: [result('"0x1"')] });
    expect(brief(await made.run(request('custom_unknown')))).toBe('"0x1"');
  });
});

describe('a read that asks for proof', () => {
  const proven: UpstreamRequest = { ...request('eth_getLogs'), proof: head };

  it.each<[Confirmation, boolean]>([
    ['certain', true],
    ['assumed', false],
  ])('counts as answered as asked where its block is %s: %s', async (confirmation, asAsked) => {
    const streamed = (): Answer => ({ kind: 'stream', stream: Readable.from([]) as unknown as ResultStream });
    for (const answer of [result('[]'), streamed()]) {
      const outcome = await bed({ a: [answer] }, { confirms: () => confirmation }).run(proven);
      expect(outcome).toMatchObject({ via: { node: 'a', asAsked } });
      const unproven = await bed({ a: [result('[]')] }, { confirms: () => confirmation }).run(request('eth_getLogs'));
      expect(unproven).toMatchObject({ via: { asAsked: true } });
    }
  });
});
