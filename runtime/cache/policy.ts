import { objectMembers, parseQuantity } from '../rpc/block-param';
import type { RoutedRequest } from '../rpc/plan';
import { requestKey } from '../rpc/request-key';

/** How an answer may be kept, decided before it is asked for. */
export interface Keeping {
  readonly key: string;
  readonly rule: KeepRule;
  /**
   * Whether other processes may have it too: only what is right wherever it is read. What is keyed by a number says
   * nothing of the branch: it rests on what this process's nodes call final. Constants and what is kept briefly are
   * asked for faster than shared.
   */
  readonly shared: boolean;
}

/**
 * What an answer must meet to be kept: `always` when it is there at all; `block-hash` when it names the hash it was
 * asked at; `checked` when it was asked by hash, or the node still shows that hash at that number afterwards;
 * `final` when the block it names is final; `briefly` for `shortTtlMs`.
 */
export type KeepRule =
  | { readonly kind: 'always' }
  | { readonly kind: 'block-hash'; readonly hash: string }
  | { readonly kind: 'checked'; readonly number: number; readonly hash: string }
  | { readonly kind: 'final' }
  | { readonly kind: 'briefly' };

/** Stands for a block that cannot be reorganised away, in place of its hash. */
const FINAL = 'final';
const ALWAYS: KeepRule = { kind: 'always' };

/**
 * @param finalized blocks up to this number are final
 * @returns undefined for what cannot be kept, nor shared while it is under way
 */
export function keepingOf(request: RoutedRequest, finalized: number | undefined): Keeping | undefined {
  const { method, row, params, need, at } = request;
  const keyed = (block: string, rule: KeepRule, shared: boolean): Keeping | undefined => {
    const key = requestKey(method, block, params);
    return key === undefined ? undefined : { key, rule, shared };
  };
  switch (row.cache) {
    case 'constant':
      return keyed('', ALWAYS, false);
    case 'object':
      return keyed('', ALWAYS, true);
    case 'mined':
      return keyed('', { kind: 'final' }, true);
    case 'short':
      return keyed('', { kind: 'briefly' }, false);
    case 'block':
      if (at !== undefined) return keyed(at.hash, blockRule(method, at.number, at.hash), true);
      if (need.kind !== 'none' && finalized !== undefined && need.number <= finalized)
        return keyed(FINAL, ALWAYS, false);
      return undefined;
    case 'never':
      return undefined;
  }
}

/** A block says itself which it is. */
function blockRule(method: string, number: number, hash: string): KeepRule {
  return method === 'eth_getBlockByNumber' || method === 'eth_getHeaderByNumber'
    ? { kind: 'block-hash', hash }
    : { kind: 'checked', number, hash };
}

/** The hash a block says it has, in lower case. */
export function hashOf(block: Buffer): string | undefined {
  return text(block, 'hash')?.toLowerCase();
}

/** The number of the block that a transaction or receipt says it is in; undefined while it is pending. */
export function blockNumberOf(object: Buffer): number | undefined {
  const number = text(object, 'blockNumber');
  return number === undefined ? undefined : parseQuantity(number);
}

function text(object: Buffer, member: string): string | undefined {
  if (object[0] !== 0x7b) return undefined;
  const span = objectMembers(object).get(member);
  if (span === undefined || object[span.start] !== 0x22) return undefined;
  return object.toString('latin1', span.start + 1, span.end - 1);
}

/** A revert is as much a fact of a block as a result is (geth: code 3; others by their words). */
export function isRevert(error: Buffer): boolean {
  const head = error.toString('latin1', 0, Math.min(error.length, 512));
  return /"code"\s*:\s*3\b/.test(head) || /execution reverted/i.test(head);
}
