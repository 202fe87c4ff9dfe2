import { classifyError, type ErrorMeaning } from '../../runtime/upstream/classify';
import { isCallersWords } from '../../runtime/upstream/callers-words';
import { methodRow } from '../../runtime/rpc/methods';

const read = methodRow('eth_call', () => false);
const once = methodRow('custom_act', () => false);
const nobodys = (): boolean => false;

/** Words as clients and providers write them. */
const WORDS: Readonly<Record<ErrorMeaning, readonly (readonly [number, string])[]>> = {
  final: [
    [3, 'execution reverted: ERC20: transfer amount exceeds balance'],
    [-32000, 'execution reverted'],
    [-32015, 'VM execution error. Reverted 0x'],
    [-32000, 'nonce too low: address 0x1, tx: 0 state: 5'],
    [-32000, 'insufficient funds for gas * price + value'],
    [-32000, 'replacement transaction underpriced'],
    [-32000, 'already known'],
    [-32010, 'Transaction with the same hash was already imported'],
    [-32000, 'intrinsic gas too low'],
    [-32000, 'invalid sender'],
    [-32000, 'invalid opcode: INVALID'],
    [-32000, 'gas required exceeds allowance (0)'],
    [-32602, 'invalid argument 0: hex string of odd length'],
    [-32602, 'missing value for required argument 0'],
    [-32000, 'something nobody has seen before'],
  ],
  'missing-state': [
    [-32000, 'missing trie node 1a2b (path ) state 0x1 is not available'],
    [-32000, 'historical state not available in path scheme yet'],
    [-32000, 'required historical state unavailable (reexec=128)'],
    [-32000, 'World state unavailable'],
    [-32000, 'state is not available'],
    [4444, 'pruned history unavailable'],
    [-32000, 'No state available for block 0x1'],
  ],
  'missing-block': [
    [-32000, 'header not found'],
    [-32000, 'Unknown block'],
    [-32000, 'block not found'],
    [-32602, 'BlockOutOfRangeError: block height is 5 but requested was 6'],
    [-39001, 'Unknown block'],
    [-32000, 'cannot query unfinalized data'],
    [-32000, 'Received invalid block tag 153. Latest block number is 2'],
    [-32602, 'blockHash cannot be found'],
  ],
  syncing: [
    [-32000, 'node is not fully synced'],
    [-32000, 'Syncing'],
  ],
  'no-method': [
    [-32601, 'Method not found'],
    [-32601, 'the method debug_x does not exist/is not available'],
    [-32004, 'method not supported'],
    [-32000, 'Unsupported method: eth_x'],
    [-32600, 'The method trace_block is not whitelisted'],
  ],
  busy: [
    [-32005, 'limit exceeded'],
    [429, 'Your app has exceeded its compute units per second capacity'],
    [-32000, 'rate limit exceeded'],
    [-32007, '50/second request limit reached'],
    [-32097, 'whatever'],
    [-32000, 'Too Many Requests'],
    [-32000, 'monthly quota exceeded'],
  ],
  refused: [
    [-32005, 'query returned more than 10000 results'],
    [-32602, 'Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range'],
    [-32000, 'block range is too large'],
    [-32600, 'eth_getLogs is limited to a 10,000 range'],
    [-32000, 'response size should not greater than 10000000 bytes: too large'],
    [-32603, 'Internal error'],
    [-32000, 'query timeout exceeded'],
  ],
};

describe('classifyError', () => {
  it.each(
    Object.entries(WORDS).flatMap(([meaning, list]) =>
      list.map(([code, message]) => [code, message, meaning] as const),
    ),
  )('%i %s: %s', (code, message, meaning) => {
    expect(classifyError(code, message, read, nobodys)).toBe(meaning);
  });

  it('believes a node that ran a request which may run once, unless the code says that nothing ran', () => {
    for (const [code, message] of Object.values(WORDS).flat()) {
      const clear = { [-32601]: 'no-method', [-32004]: 'no-method', [-32005]: 'busy', 429: 'busy', [-32097]: 'busy' };
      const meaning = (clear as Record<number, ErrorMeaning>)[code] ?? 'final';
      expect([message, classifyError(code, message, once, nobodys)]).toEqual([message, meaning]);
    }
  });

  /** A caller could rest nodes, or have them taken for pruned, by sending the words that nodes then quote. */
  it.each([
    ['rate limit exceeded', '["rate limit exceeded"]'],
    ['missing trie node', '[{"to":"missing trie node"}]'],
    ['missing trie node', '[{"missing trie node":1}]'],
    ['too many requests', '["\\u0074oo many\\u0020requests"]'],
    ['header not found', '["\\"header not found\\""]'],
    ['daily quota', '["daily quota"]'],
  ])('does not take the words "%s" of a caller for a node\'s', (words, params) => {
    const request = { method: 'eth_call', params: Buffer.from(params) };
    const meaning = (text: string): ErrorMeaning =>
      classifyError(-32000, text, read, (one) => isCallersWords(one, request));
    expect(meaning(`cannot decode "${words}"`)).toBe('final');
    expect(classifyError(-32000, words, read, nobodys)).not.toBe('final');
  });

  it("takes a revert for one although the caller repeats the word: its reason is a contract's, not the node's", () => {
    const request = { method: 'eth_call', params: Buffer.from('[{"x":"revert Execution revert"}]') };
    const message = 'Execution reverted (rate limit exceeded, missing trie node)';
    expect(classifyError(-32000, message, read, (words) => isCallersWords(words, request))).toBe('final');
  });

  it("does not take a word in the method's name for the node's", () => {
    const request = { method: 'custom_rate_limit', params: Buffer.from('[]') };
    const isCallers = (words: string): boolean => isCallersWords(words, request);
    expect(classifyError(-32000, 'custom_rate_limit failed', read, isCallers)).toBe('final');
    expect(classifyError(-32000, 'rate limit', read, isCallers)).toBe('busy');
  });

  it('is quick with long and hostile words', () => {
    const startedAt = performance.now();
    for (const word of ['block with ', 'method ', 'state is ', 'block '.repeat(5), 'a'])
      classifyError(-32000, word.repeat(4096 / word.length), read, nobodys);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
