import { createHash } from 'node:crypto';
import type { NodeView } from '../nodes/node';

/** Who is hashed; a `ClientKey` of the front is one. */
export interface HashedClient {
  /** Says the same as `bytes`, for remembering. */
  readonly key: string;
  /** The 4 bytes of an IPv4 address, or the first 8 (the /64) of an IPv6 one. */
  readonly bytes: Uint8Array;
}

type Candidate = Pick<NodeView, 'name' | 'weight'>;

/** A position in (0, 1) for a client and a node's name. */
export type ClientHash = (client: HashedClient, nodeName: string) => number;

/**
 * Weighted rendezvous hashing (highest random weight; Thaler and Ravishankar 1998, with the weights of Schindelhauer
 * and Schomaker 2005). Each node scores `-weight / ln(h)` and the highest score wins, so a node is some client's first
 * in proportion to its weight, and adding, removing or re-weighting a node moves only the clients it wins or loses.
 *
 * The hashed bytes are a contract, so that every pod, version and language agrees:
 *
 *     SHA-256( address bytes ‖ 0x00 ‖ node name in UTF-8 )
 *
 * with the address bytes of `HashedClient`. The first 53 bits of the digest, read as a big-endian number v, give
 * `h = (v + 1) / (2^53 + 2)`. Equal scores go to the name that sorts first by UTF-16 code units.
 */
export const clientHash: ClientHash = (client, nodeName) => {
  const digest = createHash('sha256').update(client.bytes).update(SEPARATOR).update(nodeName, 'utf8').digest();
  // 32 + 21 bits: a double holds 53 exactly.
  const bits = digest.readUInt32BE(0) * 2 ** 21 + (digest.readUInt32BE(4) >>> 11);
  return (bits + 1) / (2 ** 53 + 2);
};

const SEPARATOR = Uint8Array.of(0);

/** The node a client belongs to, or undefined for no nodes. */
export function pickByHash<T extends Candidate>(
  nodes: readonly T[],
  client: HashedClient,
  hash: ClientHash = clientHash,
): T | undefined {
  let best: T | undefined;
  let bestScore = 0;
  for (const node of nodes) {
    const score = toScore(node, hash(client, node.name));
    if (best === undefined || score > bestScore || (score === bestScore && node.name < best.name)) {
      best = node;
      bestScore = score;
    }
  }
  return best;
}

/** All nodes in the order a client tries them. */
export function rankByHash<T extends Candidate>(
  nodes: readonly T[],
  client: HashedClient,
  hash: ClientHash = clientHash,
): T[] {
  return nodes
    .map((node) => ({ node, score: toScore(node, hash(client, node.name)) }))
    .sort((a, b) => b.score - a.score || (a.node.name < b.node.name ? -1 : 1))
    .map(({ node }) => node);
}

function toScore(node: Candidate, position: number): number {
  return -node.weight / Math.log(position);
}

/**
 * `clientHash` that computes a pair once and remembers the last `maxClients`: hashing three nodes takes longer than the
 * rest of routing together.
 */
export function createClientHash(maxClients = 4096): ClientHash {
  let recent = new Map<string, Map<string, number>>();
  let older = new Map<string, Map<string, number>>();
  return (client, nodeName) => {
    let positions = recent.get(client.key);
    if (positions === undefined) {
      positions = older.get(client.key) ?? new Map<string, number>();
      // Two generations are a bounded LRU whose hits cost one look-up and move nothing.
      if (recent.size >= maxClients / 2) {
        older = recent;
        recent = new Map();
      }
      recent.set(client.key, positions);
    }
    let position = positions.get(nodeName);
    if (position === undefined) {
      position = clientHash(client, nodeName);
      positions.set(nodeName, position);
    }
    return position;
  };
}
