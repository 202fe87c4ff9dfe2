import { MAX_ANSWER_BYTES } from '../../cache/memory-cache';
import { blockNumberOf, hashOf, isRevert, type Keeping, type KeepRule } from '../../cache/policy';
import type { CachedAnswer, ResponseCache } from '../../cache/response-cache';
import type { Outcome, Via } from '../../rpc/outcome';

export interface KeeperParts {
  readonly cache: ResponseCache;
  /** Keeps it for other processes too; undefined where nothing is shared. */
  readonly share: ((key: string, answer: CachedAnswer) => void) | undefined;
  readonly shortTtlMs: number;
  /** Blocks up to this number are final; undefined where no node tells. */
  readonly finalized: () => number | undefined;
  /** Whether the node still shows that hash at that number. */
  readonly stillShows: (node: string, number: number, hash: string) => Promise<boolean>;
  readonly onKept: (kept: boolean) => void;
}

/** Keeps an answer if it is certain to be the answer to its key: null and errors are not, but for reverts. */
export function createKeeper(parts: KeeperParts): (keeping: Keeping, outcome: Outcome) => void {
  return ({ key, rule, shared }, outcome) => {
    const answer = toAnswer(outcome, rule);
    if (answer === undefined || (outcome.kind !== 'result' && outcome.kind !== 'error')) {
      parts.onKept(false);
      return;
    }
    const bytes = outcome.kind === 'result' ? outcome.result : outcome.error;
    const ttlMs = rule.kind === 'briefly' ? parts.shortTtlMs : 0;
    const settle = (holds: boolean): void => {
      if (holds) parts.cache.set(key, answer, ttlMs);
      if (holds && shared) parts.share?.(key, answer);
      parts.onKept(holds);
    };
    const holds = judge(rule, bytes, outcome.via, parts);
    if (typeof holds === 'boolean') settle(holds);
    else void holds.then(settle, () => settle(false));
  };
}

function toAnswer(outcome: Outcome, rule: KeepRule): CachedAnswer | undefined {
  if (outcome.kind === 'result') {
    const { result } = outcome;
    const isNull = result.length === 4 && result[0] === 0x6e;
    return isNull || result.length > MAX_ANSWER_BYTES ? undefined : { kind: 'result', text: result.toString('latin1') };
  }
  if (outcome.kind !== 'error' || rule.kind !== 'checked' || !isRevert(outcome.error)) return undefined;
  return { kind: 'error', text: outcome.error.toString('latin1') };
}

function judge(rule: KeepRule, bytes: Buffer, via: Via | undefined, parts: KeeperParts): boolean | Promise<boolean> {
  if (via?.asAsked !== true) return false;
  switch (rule.kind) {
    case 'always':
    case 'briefly':
      return true;
    case 'block-hash':
      return hashOf(bytes) === rule.hash;
    case 'checked':
      return via.exact || parts.stillShows(via.node, rule.number, rule.hash);
    case 'final': {
      const number = blockNumberOf(bytes);
      const finalized = parts.finalized();
      return number !== undefined && finalized !== undefined && number <= finalized;
    }
  }
}
