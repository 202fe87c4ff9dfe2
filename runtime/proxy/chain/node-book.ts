import type { NodeView } from '../../nodes/node';
import type { NodeError } from '../../upstream/errors';
import type { NodeBook } from '../../upstream/failover-parts';
import { now } from '../../util/clock';
import type { ChainEvents } from '../instrument';
import type { ChainNodes } from './chain-nodes';

/** What attempts tell of nodes goes to the registry, and to whoever counts. */
export function createBook(nodes: ChainNodes, events: ChainEvents): NodeBook {
  const { registry } = nodes;
  return {
    begin: (node) => {
      registry.begin(node);
      events.onAttempt(node.name);
    },
    end: (node) => registry.end(node),
    succeeded: (node, latencyMs, light) => registry.report(node, { kind: 'ok', latencyMs, light }),
    failed: (node: NodeView, error: NodeError, light: boolean) => {
      registry.report(node, { kind: 'failure', code: error.code, light, counts: error.ejects });
      if (error.code === 'CONNECT_FAILED') nodes.noteBreak(node);
      if (registry.has(node)) events.onFailure(node.name, error.code, error.message);
    },
    rest: (node, forMs) => registry.report(node, { kind: 'rest', untilMs: now() + forMs }),
    noteMissingState: (node, block) => registry.noteOldestState(node, block + 1),
    noteMissingMethod: (node, method) => registry.noteMethodMissing(node, method),
  };
}
