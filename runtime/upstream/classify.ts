import type { MethodRow } from '../rpc/methods';

/**
 * What a node's JSON-RPC error means for the request:
 * `final`: the caller's own business, passed through;
 * `missing-state`, `missing-block`, `syncing`, `no-method`: this node cannot, another may;
 * `busy`: the node refuses for its rate limit;
 * `refused`: the node will not serve this much; asked elsewhere once.
 */
export type ErrorMeaning = 'final' | 'missing-state' | 'missing-block' | 'syncing' | 'no-method' | 'busy' | 'refused';

interface Rule {
  readonly meaning: ErrorMeaning;
  readonly codes?: readonly number[];
  readonly text?: RegExp;
}

/**
 * The first rule that fits counts. Nodes agree on few codes, so most are known by their words; the words are those of
 * geth, Erigon, Nethermind, Besu, Reth, anvil, hardhat and of the large providers.
 */
const RULES: readonly Rule[] = [
  { meaning: 'final', codes: [3] },
  // Nodes quote the method in this error: a caller's words must not pass for a node's.
  { meaning: 'no-method', codes: [-32601] },
  { meaning: 'final', text: /revert|nonce too|insufficient funds|underpriced|already known|already imported/i },
  {
    meaning: 'final',
    text: /intrinsic gas|invalid (sender|signature|opcode|argument)|gas required exceeds allowance/i,
  },
  {
    meaning: 'missing-state',
    text: /missing trie node|pruned|historical state|state (is )?(not|un)(available| available)|no state available|world state unavailable|required historical/i,
  },
  { meaning: 'missing-state', codes: [4444] },
  {
    meaning: 'missing-block',
    text: /header not found|resource not found|(block|header) for hash not found|hash .{1,90}not found|block (with .{1,90} )?(was )?not found|unknown block|could not find block|blockhash cannot be found|cannot find block|invalid block tag|blockoutofrange|block height is|block .{0,80}out of range|block is not available|unfinalized/i,
  },
  { meaning: 'syncing', text: /\bsyncing\b|not (fully )?synced|is behind|initial(ising|izing)/i },
  {
    meaning: 'refused',
    text: /query returned more than|(block )?range|too (large|big|many (blocks|results|logs))|response size|size exceeded|limited to|query timeout|gas ?cap|gas limit exceeds|exceeds the (configured )?cap/i,
  },
  // The caller's fault, in words that may be the caller's too.
  { meaning: 'final', codes: [-32602] },
  {
    meaning: 'busy',
    text: /rate.?limit|too many requests|compute units|request (count|limit|rate)|throttl|quota|capacity (limit )?exceeded|credits|limit reached/i,
  },
  { meaning: 'busy', codes: [-32005, 429, -32029, -32097] },
  { meaning: 'no-method', codes: [-32601, -32004] },
  {
    meaning: 'no-method',
    text: /method .{1,80}(not (found|available|supported|whitelisted)|does not exist)|unsupported method/i,
  },
  // Internal errors say nothing of the caller: worth one more node, and no more.
  { meaning: 'refused', codes: [-32603, -32002] },
];

/**
 * @param row reads are looked at closely; of a request that may run once only, an error is the answer, unless its code
 *   (words are too weak for that) says that nothing ran
 * @param isCallers whether words stand in the request, too; then they are taken for a quotation
 */
export function classifyError(
  code: number,
  message: string,
  row: MethodRow,
  isCallers: (words: string) => boolean,
): ErrorMeaning {
  const isOnce = row.repeat === 'once';
  for (const { meaning, codes, text } of RULES) {
    if (codes?.includes(code) === true) return isOnce && !NOTHING_RAN.has(meaning) ? 'final' : meaning;
    if (text === undefined || isOnce) continue;
    const words = text.exec(message)?.[0];
    // Who makes an error look final harms nobody else; so these words need not be the node's own.
    if (words !== undefined && (meaning === 'final' || !isCallers(words))) return meaning;
  }
  return 'final';
}

const NOTHING_RAN: ReadonlySet<ErrorMeaning> = new Set(['no-method', 'busy']);
