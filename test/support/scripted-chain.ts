import { createHash } from 'node:crypto';

/** Seconds between blocks where nothing says otherwise (Ethereum mainnet's slot). */
export const BLOCK_TIME_S = 12;

/**
 * A chain that exists only as rules: the hash of a block follows from its number and the forks below it, so that any
 * number of nodes agree without talking, and disagree exactly from the block where one of them was told to fork.
 *
 *     main   98 ── 99 ── 100 ── 101
 *                  └─ b:100 ── b:101      branchAt(100, 'b')
 *
 * A block's timestamp is fixed when the block enters the chain: `setHead(n)` gives block n the present time and the
 * new blocks below it one every 12 s. A head that stays put therefore grows old, as a frozen node's does.
 */
export class ScriptedChain {
  /** Logs each block has, see scripted-logs.ts. */
  logsPerBlock = 0;
  #head: number;
  #forks: readonly Fork[] = [];
  #arrivals: readonly Arrival[];
  readonly #stated = new Map<number, number>();
  readonly #now: () => number;

  /** @param now milliseconds since 1970; nodes given one fixed clock state identical blocks, timestamps included. */
  constructor(head: number, now: () => number) {
    this.#head = head;
    this.#now = now;
    this.#arrivals = [{ number: head, at: this.#seconds() }];
  }

  get head(): number {
    return this.#head;
  }

  /** Higher: the chain grows. Lower: the node is behind again; blocks it keeps keep their timestamps. */
  setHead(number: number): void {
    const at = number > this.#head ? this.#seconds() : this.timestamp(number);
    this.#arrivals = [...this.#arrivals.filter((arrival) => arrival.number < number), { number, at }];
    this.#head = number;
  }

  /** From block `number` on this chain is another one; label `main` returns to the common chain. */
  branchAt(number: number, label: string): void {
    const kept = this.#forks.filter((fork) => fork.at < number);
    this.#forks = label === 'main' ? kept : [...kept, { at: number, label }];
  }

  setTimestamp(number: number, seconds: number): void {
    this.#stated.set(number, seconds);
  }

  /** Seconds since 1970. */
  timestamp(number: number): number {
    const stated = this.#stated.get(number);
    if (stated !== undefined) return stated;
    const index = this.#arrivals.findIndex((arrival) => arrival.number >= number);
    const next = this.#arrivals[index] ?? { number: this.#head, at: this.#seconds() };
    const calculated = next.at - (next.number - number) * BLOCK_TIME_S;
    // Never older than the blocks below it.
    return Math.max(calculated, this.#arrivals[index - 1]?.at ?? 0);
  }

  hash(number: number): string {
    const forks = this.#forks.filter((fork) => fork.at <= number).map((fork) => `${fork.at}:${fork.label}`);
    return hashOf([number, ...forks].join('/'));
  }

  /** The number of a block on the present branch, at or below the head. */
  numberOf(hash: string): number | undefined {
    for (let number = this.#head; number >= 0; number--) if (this.hash(number) === hash) return number;
    return undefined;
  }

  /** The block as nodes state it (execution-apis `Block`), or null above the head. */
  block(number: number): Record<string, unknown> | null {
    if (number > this.#head || number < 0) return null;
    return {
      ...EMPTY_BLOCK,
      number: toQuantity(number),
      hash: this.hash(number),
      parentHash: number === 0 ? ZERO_HASH : this.hash(number - 1),
      timestamp: toQuantity(this.timestamp(number)),
      stateRoot: hashOf(`state ${this.hash(number)}`),
    };
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000);
  }
}

interface Fork {
  readonly at: number;
  readonly label: string;
}

/** When a head was set. Oldest and lowest first. */
interface Arrival {
  readonly number: number;
  readonly at: number;
}

export function toQuantity(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

// Any 32 bytes will do for a block hash, and searching thousands of blocks has to be quick: sha-256 is native code.
const hashes = new Map<string, string>();

export function hashOf(name: string): string {
  let hash = hashes.get(name);
  if (hash === undefined) {
    hash = `0x${createHash('sha256').update(name).digest('hex')}`;
    hashes.set(name, hash);
  }
  return hash;
}

const ZERO_HASH = `0x${'0'.repeat(64)}`;

const EMPTY_BLOCK = {
  // Hashes of "nothing" as the yellow paper has them: no uncles, an empty trie.
  sha3Uncles: '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347',
  transactionsRoot: '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
  receiptsRoot: '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
  logsBloom: `0x${'0'.repeat(512)}`,
  miner: `0x${'0'.repeat(40)}`,
  mixHash: ZERO_HASH,
  nonce: '0x0000000000000000',
  difficulty: '0x0',
  extraData: '0x',
  gasLimit: '0x1c9c380',
  gasUsed: '0x0',
  baseFeePerGas: '0x3b9aca00',
  size: '0x220',
  transactions: [],
  uncles: [],
};
