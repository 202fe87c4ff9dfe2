import type { NodeConfig } from './schema';

/** Where the proxy dials a node: its own URL, or HAProxy's local port for its provider. */
export function nodeUrl(node: Pick<NodeConfig, 'name' | 'url' | 'localPort'>): string {
  if (node.url !== undefined) return node.url;
  if (node.localPort !== undefined) return `http://127.0.0.1:${node.localPort}`;
  // parseConfig lets no such node pass.
  throw new TypeError(`node ${node.name} has neither url nor localPort`);
}
