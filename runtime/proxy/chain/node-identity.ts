import { createHash } from 'node:crypto';
import { nodeUrl } from '../../config/node-url';
import type { NodeConfig } from '../../config/schema';
import type { NodeRun } from './node-runs';

/** Which node a name means now, as far as that matters to who left something there. */
export interface NodeIdentity extends NodeRun {
  /** The same in all processes that know the node by this address; it does not tell the address. */
  readonly mark: string;
}

export function markOf(node: NodeConfig): string {
  const address = JSON.stringify([nodeUrl(node), node.provider]);
  return createHash('sha256').update(address).digest('base64url').slice(0, MARK_CHARS);
}

/** 96 bits. */
const MARK_CHARS = 16;
