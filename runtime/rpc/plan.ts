import { type BlockNeed, NO_NEED } from './block-need';
import { toQuantity } from './block-param';
import { type Refusal, refusal } from './errors';
import type { RpcRequest } from './message';
import type { MethodPolicy } from './method-policy';
import { type MethodRow, methodRow } from './methods';
import { pin } from './pin';

/** What becomes of a request: refused, answered by us, or sent to a node that meets its need. */
export type Plan =
  | { readonly kind: 'refused'; readonly refused: Refusal }
  | { readonly kind: 'answer'; readonly result: Buffer }
  | { readonly kind: 'route'; readonly request: RoutedRequest };

export interface RoutedRequest {
  readonly method: string;
  readonly row: MethodRow;
  /** The params to send, pinned where that applies. */
  readonly params: Buffer;
  readonly need: BlockNeed;
}

export interface PlanRules {
  readonly policy: MethodPolicy;
  /** Methods the configuration calls reads, beyond our table. */
  readonly isExtraRead: (method: string) => boolean;
}

/** @param head the number every item of the message is pinned to; undefined until a node has shown one. */
export function plan(request: RpcRequest, rules: PlanRules, head: number | undefined): Plan {
  const { method, params } = request;
  if (!rules.policy.allows(method)) return refuse('DENIED', `${printable(method)} is not allowed here`);
  const row = methodRow(method, rules.isExtraRead);
  switch (row.local) {
    case 'block-number':
      if (head !== undefined) return { kind: 'answer', result: Buffer.from(`"${toQuantity(head)}"`) };
      break;
    case 'no-accounts':
      if (!rules.policy.names(method)) return { kind: 'answer', result: Buffer.from('[]') };
      break;
    case 'no-notifications':
      return refuse('NO_NOTIFICATIONS', `${method} needs a WebSocket`);
    case 'no-filters':
      return refuse('DENIED', `${method} is not served; use eth_getLogs and eth_blockNumber`);
    case undefined:
      break;
  }
  if (row.block === undefined || head === undefined) {
    return { kind: 'route', request: { method, row, params: params.bytes, need: NO_NEED } };
  }
  const pinned = pin(params, row.block, head);
  return { kind: 'route', request: { method, row, params: pinned.params, need: pinned.need } };
}

function refuse(reason: 'DENIED' | 'NO_NOTIFICATIONS', detail: string): Plan {
  return { kind: 'refused', refused: refusal(reason, detail) };
}

/** A caller's method name for a message: bounded, without control characters. */
function printable(method: string): string {
  const text = method.replace(/[^\x20-\x7e]/g, '?');
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}
