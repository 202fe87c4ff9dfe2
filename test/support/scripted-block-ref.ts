import type { ScriptedChain } from './scripted-chain';

/** Tags, quantities and the objects of EIP-1898. */
export function toNumber(chain: ScriptedChain, ref: unknown): number | undefined {
  if (typeof ref === 'object' && ref !== null) {
    if ('blockHash' in ref) return chain.numberOf(text(ref.blockHash));
    return 'blockNumber' in ref ? toNumber(chain, ref.blockNumber) : undefined;
  }
  if (/^0x[0-9a-f]+$/i.test(text(ref))) return Number(ref);
  return TAGS[text(ref)]?.(chain.head);
}

const TAGS: Readonly<Record<string, (head: number) => number>> = {
  latest: (head) => head,
  pending: (head) => head,
  safe: (head) => Math.max(0, head - 32),
  finalized: (head) => Math.max(0, head - 64),
  earliest: () => 0,
};

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
