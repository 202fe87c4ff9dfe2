import type { AnvilNode } from './anvil-node';
import type { Hex, TransactionJson } from './signed-transaction';

export interface BlockHead {
  readonly number: number;
  readonly hash: Hex;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly baseFeePerGas: Hex;
}

export interface MinedBlock extends BlockHead {
  readonly transactions: readonly TransactionJson[];
}

interface BlockJson<Transaction> {
  readonly number: Hex;
  readonly hash: Hex;
  readonly timestamp: Hex;
  readonly baseFeePerGas: Hex;
  readonly transactions: readonly Transaction[];
}

type TransactionsBySender = Readonly<Record<string, Readonly<Record<string, TransactionJson>>>>;

/** What the conductor asks of a node, in its own words: each function is one or two JSON-RPC calls. */
export async function readHead(node: AnvilNode): Promise<BlockHead> {
  return toHead(await blockJson(node, 'latest', false));
}

/** Hash of the block at that height. */
export async function readHash(node: AnvilNode, number: number): Promise<Hex> {
  return (await blockJson(node, quantity(number), false)).hash;
}

export async function readBlock(node: AnvilNode, number: number): Promise<MinedBlock> {
  return toMined(await blockJson<TransactionJson>(node, quantity(number), true));
}

/** Hashes of what the node would put into its next block, in that order. */
export async function nextTransactions(node: AnvilNode): Promise<readonly Hex[]> {
  return (await blockJson<Hex>(node, 'pending', false)).transactions;
}

/** Everything in the node's pool, also what waits for an earlier nonce. */
export async function readPool(node: AnvilNode): Promise<readonly TransactionJson[]> {
  const pool = (await node.rpc('txpool_content')) as Record<'pending' | 'queued', TransactionsBySender>;
  return [pool.pending, pool.queued].flatMap((part) => Object.values(part).flatMap((sent) => Object.values(sent)));
}

/** Mines one block from the pool. @param timestamp seconds since 1970; the parent's own is allowed. */
export async function mine(node: AnvilNode, timestamp: number): Promise<MinedBlock> {
  const blocks = (await node.rpc('evm_mine_detailed', [{ timestamp }])) as readonly BlockJson<TransactionJson>[];
  const [block] = blocks;
  if (block === undefined) throw new Error(`${node.name} mined nothing`);
  return toMined(block);
}

/** Stated for the next block only. */
export async function setNextBaseFee(node: AnvilNode, baseFeePerGas: Hex): Promise<void> {
  await node.rpc('anvil_setNextBlockBaseFeePerGas', [baseFeePerGas]);
}

/**
 * Takes the node back to block `number`. Anvil then still holds the base fee that was due above its old head; the right
 * one is in the block that is removed, for a block's base fee depends on its parent alone (EIP-1559).
 */
export async function rollBackTo(node: AnvilNode, number: number): Promise<void> {
  const head = await readHead(node);
  if (head.number <= number) return;
  const { baseFeePerGas } = await blockJson(node, quantity(number + 1), false);
  await node.rpc('anvil_rollback', [head.number - number]);
  await setNextBaseFee(node, baseFeePerGas);
}

async function blockJson<Transaction>(node: AnvilNode, block: Hex, full: boolean): Promise<BlockJson<Transaction>> {
  const answer = await node.rpc('eth_getBlockByNumber', [block, full]);
  if (answer === null) throw new Error(`${node.name} has no block ${block}`);
  return answer as BlockJson<Transaction>;
}

function toMined(json: BlockJson<TransactionJson>): MinedBlock {
  return { ...toHead(json), transactions: json.transactions };
}

function toHead(json: BlockJson<unknown>): BlockHead {
  const { hash, baseFeePerGas } = json;
  return { number: Number(json.number), hash, timestamp: Number(json.timestamp), baseFeePerGas };
}

function quantity(number: number): Hex {
  return `0x${number.toString(16)}`;
}
