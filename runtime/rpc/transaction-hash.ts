import { keccak_256 } from '@noble/hashes/sha3';
import type { RpcParams } from './message';

/**
 * The hash that `eth_sendRawTransaction` will return: keccak-256 of the signed bytes, for legacy transactions and
 * EIP-2718 envelopes alike. A blob transaction is sent with its blobs (EIP-4844) but hashed without, so its hash is
 * not known here.
 *
 * @returns 0x-prefixed, or undefined where the argument is no such transaction.
 */
export function rawTransactionHash(params: Pick<RpcParams, 'bytes'>): string | undefined {
  const match = /^\[\s*"0x((?:[0-9a-fA-F]{2})+)"\s*\]$/.exec(params.bytes.toString('latin1'));
  const hex = match?.[1];
  if (hex === undefined || hex.startsWith('03')) return undefined;
  return `0x${Buffer.from(keccak_256(Buffer.from(hex, 'hex'))).toString('hex')}`;
}
