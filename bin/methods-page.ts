import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CacheClass, METHOD_SOURCES, type MethodRow, methodRows } from '../runtime/rpc/methods';

const REPEAT: Record<MethodRow['repeat'], string> = {
  read: 'yes',
  'raw-transaction': 'yes, known by its hash',
  once: 'only if nothing was sent',
};
const EFFORT: Record<MethodRow['effort'], string> = {
  light: '`lightTimeoutMs`',
  call: '`callTimeoutMs`',
  heavy: '`deadlineMs`',
};
const KEPT: Record<CacheClass, string> = {
  constant: 'for ever',
  object: 'for ever, unless null',
  mined: 'once its block is final',
  block: 'for its block',
  short: '`shortTtlMs`',
  never: 'no',
};
const LOCAL: Record<NonNullable<MethodRow['local']>, string> = {
  'block-number': 'answered here: the head',
  'no-accounts': 'answered here: `[]`, unless allowed by name',
  'no-notifications': 'refused: needs a WebSocket',
  filter: 'answered here: [filters](filters.md)',
};

/** The page that is made from the method table; `docs/methods.md` is its copy, and a test compares them. */
export function methodsPage(): string {
  const rows = [...methodRows()].map(([method, row]) => `| ${[`\`${method}\``, ...describe(row)].join(' | ')} |`);
  return `# Methods

What the balancer knows of each method. This page is made from \`runtime/rpc/methods.ts\` by \`npx tsx bin/methods-page.ts\`.
Each call counts 1 against a client's limit, unless \`limits.cost\` says otherwise.

- **Block**: which argument names the block, counted from 0; what leaving it out, or \`null\`, means; and whether the block
  is named to nodes by its hash (EIP-1898), on nodes that were seen to take it, or by its number. \`latest\` is pinned to
  the head when the request arrives. \`pending\`, \`safe\`, \`finalized\`, \`earliest\` and hashes are passed on as they are.
- **Asked again**: whether another node may be asked after an attempt that failed.
- **Attempt**: the time-out of one attempt.
- **Kept**: how long an answer is kept. What is read at a block is kept under that block's hash; null and errors are not
  kept, but for reverts at a known block.
- **null**: \`unseen\` may be a node that is behind, so one more is asked; \`fault\` for a block at or below the head is that
  node's fault, and another is asked.

- **Source**: where the arguments and forms are from; what a left-out block means is geth's (\`internal/ethapi\`) where the
  specification is silent.

${Object.entries(METHOD_SOURCES)
  .map(([name, url]) => `[${name}]: ${url}`)
  .join('\n')}

| method | block | asked again | attempt | kept | null | notes | source |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

Any other method is passed to one node, runs at most once, and is never kept. \`failover.readMethods\` makes methods reads,
such as \`trace_*\`. Denied unless allowed: \`admin_*\`, \`anvil_*\`, \`clique_*\`, \`debug_*\`, \`engine_*\`, \`evm_*\`, \`hardhat_*\`,
\`miner_*\`, \`personal_*\`, \`testing_*\`, \`txpool_*\`, \`eth_sendTransaction\`, \`eth_sign*\`.
`;
}

function describe({ block, repeat, effort, cache, nullMeans, local, namesBlock, source }: MethodRow): string[] {
  if (local === 'filter' || local === 'no-notifications') return ['', '', '', '', '', LOCAL[local], `[${source}]`];
  const notes = [local && LOCAL[local], namesBlock && 'raises the head if its block is newer'];
  return [
    block === undefined ? '' : describeBlock(block),
    REPEAT[repeat],
    EFFORT[effort],
    KEPT[cache],
    nullMeans ?? '',
    notes.filter((note) => note !== undefined).join('; '),
    `[${source}]`,
  ];
}

function describeBlock({ index, omitted, reads, takes }: NonNullable<MethodRow['block']>): string {
  const where = reads === 'logs' ? `\`fromBlock\`, \`toBlock\` of ${index}` : String(index);
  const form = takes === 'eip1898' ? 'by hash' : 'by number';
  return `${where}, else ${omitted === 'latest' ? 'latest' : "the node's choice"}; ${form}`;
}

if (require.main === module) writeFileSync(join(__dirname, '..', 'docs', 'methods.md'), methodsPage());
