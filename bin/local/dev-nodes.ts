import { DevChain } from '../dev-chain/dev-chain';
import type { Endpoint } from './summary';

const CHAIN_ID = 31_337;

export interface DevNodes {
  readonly chainId: number;
  readonly endpoints: readonly Endpoint[];
  readonly close: () => Promise<void>;
}

/** Two nodes on one chain, making blocks until they are closed. */
export async function startDevNodes(blockTimeSeconds: number): Promise<DevNodes> {
  const blockTimeMs = blockTimeSeconds * 1000;
  const chain = await DevChain.start({ nodes: 2, chainId: CHAIN_ID, blockTimeMs });
  const stop = new AbortController();
  // A chain with a few blocks shows more than an empty one.
  await chain.produceBlock();
  const running = chain.run(stop.signal);
  return {
    chainId: CHAIN_ID,
    endpoints: chain.nodes.map((node) => ({ name: node.name, url: node.url, pid: node.pid })),
    close: async () => {
      stop.abort();
      await chain.close();
      await running;
    },
  };
}
