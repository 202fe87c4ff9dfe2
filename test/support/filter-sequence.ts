/** A log as nodes state it, as far as it is compared here. */
export interface LogJson {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockHash: string;
  readonly blockNumber: string;
  readonly transactionHash: string;
  readonly logIndex: string;
  readonly removed: boolean;
}

/**
 * One thing a filter told, in one line, so that two sequences compare at a glance: `+12 #3 25 0xab… 0xcd…` is a log (its
 * block, its place there, what it says, its transaction, its block's hash), `-12 …` the same log removed; of a block or a
 * pending transaction it is the hash.
 */
export type Told = string;

export function toTold(change: unknown): Told {
  if (typeof change === 'string') return change;
  const { address, topics, data, blockHash, blockNumber, transactionHash, logIndex, removed } = change as LogJson;
  if (typeof removed !== 'boolean') throw new Error(`a log without removed: ${JSON.stringify(change)}`);
  const says = [...topics.map((topic) => BigInt(topic) % 1_000_000n), BigInt(data)].join(',');
  const place = `${removed ? '-' : '+'}${Number(blockNumber)} #${Number(logIndex)}`;
  return `${place} ${says} ${transactionHash} ${blockHash} ${address.toLowerCase()}`;
}

/** The same log, added or removed. */
const logOf = (told: Told): string => told.slice(1);

/**
 * What a client knows after all it was told. @throws Error at what no honest node tells: a log or a hash twice, or the
 * removal of a log that is not there.
 */
export function foldTold(sequence: readonly Told[]): string[] {
  const known = new Set<string>();
  for (const told of sequence) {
    const isRemoval = told.startsWith('-');
    const what = told.startsWith('0x') ? told : logOf(told);
    if (isRemoval ? !known.delete(what) : known.has(what)) {
      throw new Error(`${isRemoval ? 'removed without being there' : 'told twice'}: ${told}`);
    }
    if (!isRemoval) known.add(what);
  }
  return [...known];
}

/** Where two sequences part, in few words: they have thousands of lines. Undefined where they are the same. */
export function partingOf(told: readonly Told[], expected: readonly Told[]): string | undefined {
  const at = expected.findIndex((one, index) => told[index] !== one);
  if (at === -1 && told.length === expected.length) return undefined;
  const index = at === -1 ? expected.length : at;
  const around = (list: readonly Told[]): string =>
    list
      .slice(Math.max(0, index - 1), index + 3)
      .map((one) => one.slice(0, 40))
      .join(' | ');
  return `at ${index} of ${expected.length}, told ${told.length}: expected ${around(expected)}, got ${around(told)}`;
}
