import { DevChain } from '../dev-chain/dev-chain';
import type { Served } from './summary';

const CHAIN_ID = 31_337;

/** The first account of anvil's mnemonic, and its key, which everybody knows. */
const ACCOUNT = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266';
const KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';

export interface DevNodes extends Served {
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
  const [first] = chain.nodes;
  const { name = '', pid = 0 } = first ?? {};
  return {
    chainId: CHAIN_ID,
    nodes: chain.nodes.map((node) => ({
      name: node.name,
      url: node.url,
      description: `${node.url}  pid ${node.pid}`,
    })),
    more: [
      `Account:       ${ACCOUNT}, with 10000 ETH`,
      `Its key:       ${KEY}  (known to all: for tests only)`,
      '',
      `Break it:      kill -STOP ${pid}   (freeze ${name}; kill -CONT ${pid} to heal it)`,
      `               kill -9 ${pid}      (kill it: reads go on)`,
    ],
    close: async () => {
      stop.abort();
      await chain.close();
      await running;
    },
  };
}
