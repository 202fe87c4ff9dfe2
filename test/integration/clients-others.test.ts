import { createPublicClient, createWalletClient, defineChain, http, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { Web3 } from 'web3';
import { ACCOUNTS, CHAIN_ID, ClientBed, Recorder, word, WORD_CODE, WORD_INIT } from './client-bed';
import { eventually } from '../support/eventually';

const [ALICE, BOB] = ACCOUNTS;
const FULL = 10_000n * 10n ** 18n;

const randomAddress = (): Hex => privateKeyToAccount(generatePrivateKey()).address;

/** What dApps do with viem 2 and web3 4, through the real proxy, on two real nodes. */
describe('other clients', () => {
  let bed: ClientBed;

  beforeAll(async () => {
    bed = await ClientBed.start({ methods: { allow: ['eth_sendTransaction', 'eth_accounts'] } });
  }, 30_000);

  afterAll(() => bed.close());

  describe('viem', () => {
    const connect = (url: string, batch = false) => {
      const chain = defineChain({
        id: CHAIN_ID,
        name: 'dev',
        nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
        rpcUrls: { default: { http: [url] } },
      });
      const options = { chain, transport: http(url, { batch }), pollingInterval: 100, cacheTime: 0 };
      return { reader: createPublicClient(options), wallet: createWalletClient(options) };
    };

    it('reads the chain', async () => {
      const { reader } = connect(bed.proxy.url);
      expect(await reader.getChainId()).toBe(CHAIN_ID);
      const blockNumber = await reader.getBlockNumber();
      expect((await reader.getBlock({ blockNumber })).hash).toBe(bed.chain.block(Number(blockNumber)).hash);
      expect(await reader.getBalance({ address: BOB.address, blockNumber: 1n })).toBe(FULL);
      expect(await reader.getCode({ address: BOB.address })).toBeUndefined();
      expect(await reader.call({ to: BOB.address })).toEqual({ data: undefined });
      expect(await reader.estimateGas({ account: BOB.address, to: ALICE.address, value: 1n })).toBe(21_000n);
      expect((await reader.estimateFeesPerGas()).maxFeePerGas).toBeGreaterThan(0n);
      expect((await reader.getFeeHistory({ blockCount: 2, rewardPercentiles: [50] })).reward).toHaveLength(2);
      expect(await reader.getLogs({ address: BOB.address, fromBlock: 0n })).toEqual([]);
    });

    it('leaves params out where a method has none, and batches when told to', async () => {
      const recorder = await Recorder.start(bed.proxy.url);
      try {
        await connect(recorder.url).reader.getBlockNumber();
        expect(JSON.parse(recorder.requests[0] ?? '')).not.toHaveProperty('params');
        const { reader } = connect(recorder.url, true);
        const answers = await Promise.all([
          reader.getChainId(),
          reader.getBlock({ blockNumber: 1n }),
          reader.getBalance({ address: ALICE.address, blockNumber: 1n }),
        ]);
        expect([answers[0], answers[1].hash, answers[2]]).toEqual([CHAIN_ID, bed.chain.block(1).hash, FULL]);
        expect((JSON.parse(recorder.requests[1] ?? '') as unknown[]).length).toBe(3);
      } finally {
        await recorder.close();
      }
    });

    it('sends with a key of its own, waits for two confirmations, and reads the change', async () => {
      const { reader, wallet } = connect(bed.proxy.url);
      const to = randomAddress();
      const hash = await wallet.sendTransaction({ account: privateKeyToAccount(ALICE.key), to, value: 5n });
      const receipt = await reader.waitForTransactionReceipt({ hash, confirmations: 2 });
      expect(receipt.status).toBe('success');
      expect(await reader.getBalance({ address: to })).toBe(5n);
      expect(await reader.getBalance({ address: to, blockNumber: receipt.blockNumber - 1n })).toBe(0n);
    });

    it("sends with an account of the node's where that is allowed", async () => {
      const { reader, wallet } = connect(bed.proxy.url);
      expect(await wallet.getAddresses()).toContain(BOB.address);
      const hash = await wallet.sendTransaction({ account: BOB.address, data: WORD_INIT as Hex });
      const { contractAddress } = await reader.waitForTransactionReceipt({ hash, confirmations: 2 });
      expect(await reader.getCode({ address: contractAddress ?? '0x' })).toBe(WORD_CODE);
    });

    // viem makes a filter at its first poll.
    it('tells of events', async () => {
      const { reader, wallet } = connect(bed.proxy.url);
      const account = privateKeyToAccount(ALICE.key);
      const deployed = await wallet.sendTransaction({ account, data: WORD_INIT as Hex });
      const receipt = await reader.waitForTransactionReceipt({ hash: deployed, confirmations: 2 });
      const address = receipt.contractAddress ?? '0x';
      const logged: Hex[] = [];
      const errors: Error[] = [];
      const stop = reader.watchEvent({
        address,
        onLogs: (logs) => void logged.push(...logs.map(({ data }) => data)),
        onError: (error) => void errors.push(error),
      });
      // It tells of what comes after its first poll, which is when it learns where it begins.
      const begun = await reader.getBlockNumber({ cacheTime: 0 });
      await eventually(async () => (await reader.getBlockNumber({ cacheTime: 0 })) >= begun + 2n);
      const hash = await wallet.sendTransaction({ account, to: address, data: word(42) });
      await reader.waitForTransactionReceipt({ hash, confirmations: 2 });
      await eventually(() => logged.length > 0);
      stop();
      expect(logged).toEqual([word(42)]);
      expect(errors).toEqual([]);
    });
  });

  describe('web3', () => {
    const connect = (url: string): Web3 => {
      const web3 = new Web3(url);
      web3.eth.transactionReceiptPollingInterval = 100;
      web3.eth.transactionConfirmationPollingInterval = 100;
      web3.eth.transactionConfirmationBlocks = 2;
      return web3;
    };

    it('reads the chain', async () => {
      const { eth } = connect(bed.proxy.url);
      expect(await eth.getChainId()).toBe(BigInt(CHAIN_ID));
      const number = await eth.getBlockNumber();
      expect((await eth.getBlock(number)).hash).toBe(bed.chain.block(Number(number)).hash);
      expect(await eth.getBalance(BOB.address, 1)).toBe(FULL);
      expect(await eth.getCode(BOB.address)).toBe('0x');
      expect(await eth.call({ to: BOB.address })).toBe('0x');
      expect(await eth.estimateGas({ from: BOB.address, to: ALICE.address, value: '0x1' })).toBe(21_000n);
      expect(await eth.getFeeHistory(2, 'latest', [50])).toHaveProperty('baseFeePerGas');
      expect(await eth.getPastLogs({ fromBlock: 0, address: BOB.address })).toEqual([]);
    });

    it('gets its ids, which are strings, back as it sent them, in a batch too', async () => {
      const recorder = await Recorder.start(bed.proxy.url);
      try {
        const web3 = connect(recorder.url);
        await web3.eth.getBlockNumber();
        const batch = new web3.BatchRequest();
        const hash = batch.add<{ hash: string }>({ method: 'eth_getBlockByNumber', params: ['0x1', false] });
        const chainId = batch.add<string>({ method: 'eth_chainId', params: [] });
        await batch.execute({ timeout: 20_000 });
        expect([(await hash).hash, await chainId]).toEqual([bed.chain.block(1).hash, '0x7a69']);
        const ids = (bodies: string[]) =>
          bodies.flatMap((body) => [JSON.parse(body) as { id: unknown }].flat()).map(({ id }) => id);
        expect(recorder.requests.map((body) => Array.isArray(JSON.parse(body)))).toEqual([false, true]);
        expect(ids(recorder.requests)).toEqual(ids(recorder.responses));
        for (const id of ids(recorder.requests)) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
      } finally {
        await recorder.close();
      }
    });

    it('sends with a key of its own, waits for the receipt and a confirmation, and reads the change', async () => {
      const { eth } = connect(bed.proxy.url);
      const [account] = eth.accounts.wallet.add(ALICE.key);
      const to = randomAddress();
      const sending = eth.sendTransaction({ from: account?.address ?? '', to, value: '0x9' });
      const confirmed = new Promise<bigint>((resolve) => {
        sending.on('confirmation', ({ confirmations }) => {
          if (confirmations >= 2n) resolve(confirmations);
        });
      });
      expect((await sending).status).toBe(1n);
      await confirmed;
      expect(await eth.getBalance(to)).toBe(9n);
    });

    it("sends with an account of the node's where that is allowed", async () => {
      const { eth } = connect(bed.proxy.url);
      const to = randomAddress();
      const sending = eth.sendTransaction({ from: BOB.address, to, value: '0x9' });
      const confirmed = new Promise<void>((resolve) => {
        sending.on('confirmation', ({ confirmations }) => {
          if (confirmations >= 2n) resolve();
        });
      });
      expect((await sending).from.toLowerCase()).toBe(BOB.address.toLowerCase());
      await confirmed;
      expect(await eth.getBalance(to)).toBe(9n);
    });
  });
});
