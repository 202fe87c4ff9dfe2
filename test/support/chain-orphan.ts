import { AnvilNode } from '../../bin/dev-chain/anvil-node';

// A process to be killed: it starts a node, says the node's pid, and stays.
void AnvilNode.start({ chainId: 31337, timestamp: 1_700_000_000 }).then(({ pid }) => {
  console.log(pid);
  setInterval(() => undefined, 1000);
});
