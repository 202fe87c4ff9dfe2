import type { RequestContext } from '../front/exchange';
import { refusal } from '../rpc/errors';
import type { RpcRequest } from '../rpc/message';
import type { Outcome } from '../rpc/outcome';
import { plan, type PlanRules, type RoutedRequest } from '../rpc/plan';
import type { UpstreamRequest } from '../upstream/failover';

export interface PipelineStages {
  readonly rules: PlanRules;
  /** Routing and failover together: sends the request to nodes until one answers. */
  readonly upstream: (request: UpstreamRequest, context: RequestContext) => Promise<Outcome>;
  readonly onHandled: (method: string, outcome: Outcome, ms: number) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * The path of one request, in one screen:
 *
 * ```text
 * plan ─┬─ refused            a method that is denied
 *       ├─ answered           what we know ourselves, such as the head
 *       └─ routed ─▶ upstream (route ▸ send ▸ fail over)
 * ```
 *
 * An exception of ours becomes −32603 for this request and touches no other.
 */
export function createPipeline(stages: PipelineStages) {
  return async (request: RpcRequest, context: RequestContext): Promise<Outcome> => {
    const startedAt = performance.now();
    let outcome: Outcome;
    try {
      outcome = await handle(request, context, stages);
    } catch (error) {
      stages.onError(error);
      outcome = { kind: 'refused', refused: refusal('INTERNAL') };
    }
    stages.onHandled(request.method, outcome, performance.now() - startedAt);
    return outcome;
  };
}

async function handle(request: RpcRequest, context: RequestContext, stages: PipelineStages): Promise<Outcome> {
  const planned = plan(request, stages.rules, context.head);
  switch (planned.kind) {
    case 'refused':
      return planned;
    case 'answer':
      return { kind: 'result', result: planned.result };
    case 'route':
      return stages.upstream(toUpstream(planned.request, request, stages.rules), context);
  }
}

function toUpstream(routed: RoutedRequest, request: RpcRequest, rules: PlanRules): UpstreamRequest {
  return {
    ...routed,
    pinnedTo: (head) => {
      const again = plan(request, rules, head);
      return again.kind === 'route' ? toUpstream(again.request, request, rules) : toUpstream(routed, request, rules);
    },
  };
}
