import { type BlockNeed, NO_NEED } from './block-need';
import { toQuantity } from './block-param';
import { type Refusal, refusal } from './errors';
import type { HeadView } from './head-view';
import type { RpcRequest } from './message';
import type { MethodPolicy } from './method-policy';
import { type MethodRow, methodRow } from './methods';
import { pin, type PinnedBlock } from './pin';

/** What becomes of a request: refused, answered by us, a matter of filters, or sent to a node that meets its need. */
export type Plan =
  | { readonly kind: 'refused'; readonly refused: Refusal }
  | { readonly kind: 'answer'; readonly result: Buffer }
  | { readonly kind: 'filter' }
  | { readonly kind: 'route'; readonly request: RoutedRequest };

export interface RoutedRequest {
  readonly method: string;
  readonly row: MethodRow;
  /** The params to send, pinned by number where that applies. */
  readonly params: Buffer;
  readonly need: BlockNeed;
  /** It reads what is not mined yet, on which nodes differ. */
  readonly readsPending: boolean;
  /** The block the answer is about, where it is known to the hash. */
  readonly at: PinnedBlock | undefined;
}

export interface PlanRules {
  readonly policy: MethodPolicy;
  /** Methods the configuration calls reads, beyond our table. */
  readonly isExtraRead: (method: string) => boolean;
}

/** @param head what every item of the message is pinned to; undefined until a node has shown a block */
export function plan(request: RpcRequest, rules: PlanRules, head: HeadView | undefined): Plan {
  const { method, params } = request;
  if (!rules.policy.allows(method))
    return refuse('DENIED', `the method ${printable(method)} does not exist here, or is not allowed`);
  const row = methodRow(method, rules.isExtraRead);
  switch (row.local) {
    case 'block-number':
      if (head !== undefined) return { kind: 'answer', result: Buffer.from(`"${toQuantity(head.number)}"`) };
      break;
    case 'no-accounts':
      if (!rules.policy.names(method)) return { kind: 'answer', result: Buffer.from('[]') };
      break;
    case 'no-notifications':
      return refuse('NO_NOTIFICATIONS', `${method} needs a WebSocket`);
    case 'filter':
      return { kind: 'filter' };
    case undefined:
      break;
  }
  if (row.block === undefined || head === undefined) {
    return {
      kind: 'route',
      request: { method, row, params: params.bytes, need: NO_NEED, at: undefined, readsPending: false },
    };
  }
  return { kind: 'route', request: { method, row, ...pin(params, row.block, head) } };
}

function refuse(reason: 'DENIED' | 'NO_NOTIFICATIONS', detail: string): Plan {
  return { kind: 'refused', refused: refusal(reason, detail) };
}

/** A caller's method name for a message: bounded, without control characters. */
function printable(method: string): string {
  const text = method.replace(/[^\x20-\x7e]/g, '?');
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}
