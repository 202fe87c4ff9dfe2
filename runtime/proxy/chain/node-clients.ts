import { nodeUrl } from '../../config/node-url';
import type { NodeConfig } from '../../config/schema';
import type { NodeView } from '../../nodes/node';
import { NodeError } from '../../upstream/errors';
import { type ClientBounds, NodeClient } from '../../upstream/node-client';

/**
 * The clients of a chain's nodes, one each. They go with the node and not with its name: whoever holds a node that was
 * removed finds its old client, which refuses what comes unsent, so that another node is asked.
 */
export class NodeClients {
  private readonly ofNode = new WeakMap<NodeView, NodeClient>();
  private byName: ReadonlyMap<string, NodeClient> = new Map();
  private readonly retiring = new Set<NodeClient>();

  constructor(private readonly bounds: ClientBounds) {}

  /** @throws NodeError where no node has the name any more */
  named(name: string): NodeClient {
    const client = this.byName.get(name);
    if (client === undefined) throw new NodeError('NODE_DOWN', `${name} is not used any more`, { sent: false });
    return client;
  }

  of(node: NodeView): NodeClient {
    return this.ofNode.get(node) ?? this.named(node.name);
  }

  /** For a node that is none of the chain's yet. */
  make(node: NodeConfig): NodeClient {
    const viaHaproxy = node.localPort !== undefined;
    return new NodeClient({ node: node.name, url: nodeUrl(node), viaHaproxy, bounds: this.bounds });
  }

  /**
   * The chain's nodes from now on; those that are new bring the client made for them. Requests on their way to nodes that
   * were removed are finished, and then nothing is left of these.
   */
  apply(nodes: readonly NodeView[], made: ReadonlyMap<string, NodeClient>): void {
    const before = this.byName;
    const next = new Map<string, NodeClient>();
    for (const node of nodes) {
      const client = this.ofNode.get(node) ?? made.get(node.name);
      if (client === undefined) throw new TypeError(`no client was made for node ${node.name}`);
      this.ofNode.set(node, client);
      next.set(node.name, client);
    }
    this.byName = next;
    for (const [name, client] of before) if (next.get(name) !== client) this.retire(client);
  }

  /** Waits for nothing. */
  async close(): Promise<void> {
    const all = [...this.byName.values(), ...this.retiring];
    await Promise.all(all.map((client) => client.close()));
  }

  private retire(client: NodeClient): void {
    this.retiring.add(client);
    void client.retire().then(() => this.retiring.delete(client));
  }
}
