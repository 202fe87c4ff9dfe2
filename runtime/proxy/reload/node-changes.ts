import { isDeepStrictEqual } from 'node:util';
import type { NodeConfig } from '../../config/schema';

/** What another list of nodes means, by name. */
export interface NodeChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Another address: it is another node, of which nothing is known. */
  readonly moved: readonly string[];
  /** The same node, of which something else is said. */
  readonly changed: readonly string[];
}

export function nodeChanges(before: readonly NodeConfig[], after: readonly NodeConfig[]): NodeChanges {
  const known = new Map(before.map((node) => [node.name, node]));
  const names = new Set(after.map(({ name }) => name));
  const changes = { added: [] as string[], removed: [] as string[], moved: [] as string[], changed: [] as string[] };
  for (const node of after) {
    const was = known.get(node.name);
    if (was === undefined) changes.added.push(node.name);
    else if (was.url !== node.url || was.localPort !== node.localPort) changes.moved.push(node.name);
    else if (!isDeepStrictEqual(ours(was), ours(node))) changes.changed.push(node.name);
  }
  changes.removed.push(...[...known.keys()].filter((name) => !names.has(name)));
  return changes;
}

/** What HAProxy dials is not our business. */
function ours({ provider: _, ...node }: NodeConfig): Omit<NodeConfig, 'provider'> {
  return node;
}
