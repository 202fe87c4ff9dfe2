import { ContractFactory, Interface, JsonRpcProvider, toBeHex, Wallet } from 'ethers';
import { ACCOUNTS, CHAIN_ID, ClientBed, Recorder, word, WORD_CODE, WORD_INIT } from './client-bed';
import { eventually } from '../support/eventually';

const [ALICE, BOB] = ACCOUNTS;

/** What a dApp does with ethers 6, through the real proxy, on two real nodes. */
describe('ethers', () => {
  let bed: ClientBed;
  let provider: JsonRpcProvider;

  beforeAll(async () => {
    bed = await ClientBed.start({ methods: { allow: ['eth_sendTransaction', 'eth_accounts'] } });
    provider = new JsonRpcProvider(bed.proxy.url, undefined, { pollingInterval: 100, cacheTimeout: -1 });
  }, 30_000);

  afterAll(async () => {
    provider.destroy();
    await bed.close();
  });

  it('reads the chain', async () => {
    expect((await provider.getNetwork()).chainId).toBe(BigInt(CHAIN_ID));
    const number = await provider.getBlockNumber();
    const block = await provider.getBlock(number);
    expect(block).toMatchObject({ number, hash: bed.chain.block(number).hash });
    expect(await provider.getBalance(BOB.address)).toBeGreaterThan(0n);
    expect(await provider.getCode(BOB.address)).toBe('0x');
    expect(await provider.call({ to: BOB.address, data: '0x' })).toBe('0x');
    expect(await provider.estimateGas({ from: BOB.address, to: ALICE.address, value: 1n })).toBe(21_000n);
    expect((await provider.getFeeData()).maxFeePerGas).toBeGreaterThan(0n);
    expect(await provider.getLogs({ fromBlock: 0, toBlock: 'latest', address: BOB.address })).toEqual([]);
    expect(await provider.send('eth_feeHistory', ['0x2', 'latest', [50]])).toHaveProperty('baseFeePerGas');
  });

  it('batches what is asked at once, by itself, and each gets its own answer', async () => {
    const recorder = await Recorder.start(bed.proxy.url);
    const batching = new JsonRpcProvider(recorder.url, CHAIN_ID, { staticNetwork: true });
    try {
      const [alice, bob, one, two] = await Promise.all([
        batching.getTransactionCount(ALICE.address),
        batching.getBalance(BOB.address, 1),
        batching.getBlock(1),
        batching.getBlock(2),
      ]);
      expect(alice).toBeGreaterThanOrEqual(0);
      expect(bob).toBe(10_000n * 10n ** 18n);
      expect([one?.hash, two?.hash]).toEqual([bed.chain.block(1).hash, bed.chain.block(2).hash]);
      expect(recorder.requests.map((body) => (JSON.parse(body) as unknown[]).length)).toEqual([4]);
    } finally {
      batching.destroy();
      await recorder.close();
    }
  });

  it('deploys a contract with a key of its own, changes its state, and reads the change and its log', async () => {
    const wallet = new Wallet(ALICE.key, provider);
    const contract = await new ContractFactory(new Interface([]), WORD_INIT, wallet).deploy();
    await contract.deploymentTransaction()?.wait(2);
    const to = await contract.getAddress();
    expect(await provider.getCode(to)).toBe(WORD_CODE);
    expect(await provider.call({ to })).toBe(word(0));

    const receipt = await (await wallet.sendTransaction({ to, data: word(42) })).wait(2);
    expect(receipt).toMatchObject({ status: 1, from: ALICE.address });
    expect(await provider.call({ to })).toBe(word(42));
    expect(await provider.getStorage(to, 0)).toBe(word(42));
    const { blockNumber = 0 } = receipt ?? {};
    expect(await provider.call({ to, blockTag: blockNumber - 1 })).toBe(word(0));
    const logs = await provider.getLogs({ address: to, fromBlock: 0 });
    expect(logs.map(({ data, transactionHash }) => ({ data, transactionHash }))).toEqual([
      { data: word(42), transactionHash: receipt?.hash },
    ]);
    for (const node of bed.chain.nodes)
      expect(await node.rpc('eth_call', [{ to }, toBeHex(blockNumber)])).toBe(word(42));
  });

  it("sends with an account of the node's where eth_sendTransaction is allowed", async () => {
    const to = Wallet.createRandom().address;
    const signer = await provider.getSigner(BOB.address);
    const receipt = await (await signer.sendTransaction({ to, value: 7n })).wait(2);
    expect(receipt).toMatchObject({ status: 1, from: BOB.address });
    expect(await provider.getBalance(to)).toBe(7n);
  });

  it('tells of new blocks, one after the other, and of events', async () => {
    const seen: number[] = [];
    const logged: string[] = [];
    await provider.on('block', (number: number) => void seen.push(number));
    await provider.on({ topics: [] }, ({ data }: { data: string }) => void logged.push(data));
    const wallet = new Wallet(ALICE.key, provider);
    const contract = await new ContractFactory(new Interface([]), WORD_INIT, wallet).deploy();
    await contract.deploymentTransaction()?.wait(2);
    await (await wallet.sendTransaction({ to: await contract.getAddress(), data: word(43) })).wait(2);
    await eventually(() => logged.includes(word(43)));
    await provider.removeAllListeners();
    // It removes its filter without waiting for it, and what is under way must not be cut off by the end of the test.
    await provider.send('eth_chainId', []);
    expect(seen.length).toBeGreaterThan(3);
    expect(seen).toEqual(seen.map((_, index) => (seen[0] ?? 0) + index));
  });
});

describe('ethers and a rate limit', () => {
  // ethers 6 takes a bare number in Retry-After for milliseconds and comes back at once, twelve times. With the leading
  // zero it is none to ethers, which then backs off exponentially.
  it('waits by itself and gets every answer', async () => {
    const bed = await ClientBed.start({ limits: { perMinute: 600, burst: 5 } });
    const recorder = await Recorder.start(bed.proxy.url);
    const provider = new JsonRpcProvider(recorder.url, CHAIN_ID, {
      staticNetwork: true,
      batchMaxCount: 1,
      cacheTimeout: -1,
    });
    try {
      const balances = await Promise.all(
        Array.from({ length: 12 }, (_, index) => provider.getBalance(ALICE.address, index % 3)),
      );
      expect(new Set(balances)).toEqual(new Set([10_000n * 10n ** 18n]));
      const refused = recorder.statuses.filter((status) => status === 429).length;
      expect(refused).toBeGreaterThan(0);
      expect(recorder.statuses.length - refused).toBe(12);
      expect(await bed.proxy.metric('rpc_balancer_limited_total')).toBe(refused);
    } finally {
      provider.destroy();
      await recorder.close();
      await bed.close();
    }
  }, 60_000);
});
