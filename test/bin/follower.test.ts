import { Transaction } from 'ethers';
import { AnvilNode } from '../../bin/dev-chain/anvil-node';
import { Branch } from '../../bin/dev-chain/branch';
import { Follower } from '../../bin/dev-chain/follower';
import { readHead } from '../../bin/dev-chain/node-control';
import type { SignedTransaction } from '../../bin/dev-chain/signed-transaction';
import { eventually } from '../support/eventually';
import { sign, wallets } from '../support/oracle-counter';

describe('a follower', () => {
  let node: AnvilNode;
  let branch: Branch;
  let follower: Follower;

  beforeEach(async () => {
    node = await AnvilNode.start({ chainId: 31337, timestamp: 1_700_000_000 });
    branch = new Branch({ ...(await readHead(node)), transactions: [] });
    follower = new Follower(node, branch, { onTransaction: () => undefined, onProblem: () => undefined });
    expect(await follower.sync()).toBe(true);
  });

  afterEach(async () => {
    await node.close();
    await follower.close();
  });

  /** A transaction that waits on the branch, of an account of its own so that it needs no other. */
  const offered = async (account: number): Promise<SignedTransaction> => {
    const from = wallets[account];
    if (from === undefined) throw new RangeError(`no account ${account}`);
    const raw = await sign({ from, nonce: 0, to: from.address });
    const transaction = { hash: Transaction.from(raw).hash ?? '', raw };
    branch.offer(transaction);
    return transaction;
  };
  const has = async ({ hash }: SignedTransaction): Promise<boolean> =>
    (await node.rpc('eth_getTransactionByHash', [hash])) !== null;

  it('tells on when its node was stopped between a transaction and the turn to tell it', async () => {
    const [first, second] = [await offered(0), await offered(1)];
    follower.tell(first);
    node.freeze();
    await follower.collect();
    node.thaw();
    expect(await has(first)).toBe(false);

    follower.tell(second);
    await eventually(
      () => has(second),
      () => 'the second transaction at the node',
    );
    // What was missed in between comes with the next look at the whole.
    expect(await follower.sync()).toBe(true);
    expect(await has(first)).toBe(true);
  });
});
