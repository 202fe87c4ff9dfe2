import { keccak256 } from 'ethers';

/** Makes one kind of request of the load. Nonces look like addresses, `0x` and 40 lower-case digits. */
export interface RequestMaker {
  readonly method: string;
  readonly params: (nonce: string) => readonly unknown[];
  /** False where a second arrival is a second execution; these may reach the nodes once at most. */
  readonly idempotent: boolean;
  /** Whether this can be the answer to the request with this nonce. */
  readonly isRight: (result: unknown, nonce: string) => boolean;
  /** The client gives up by itself after so many milliseconds. Default never. */
  readonly abortAfterMs?: number;
}

const IDENTITY = '0x0000000000000000000000000000000000000004';

/**
 * Ten read methods any node answers. Real nodes do not repeat what they were asked, so their answers are checked by
 * shape; only `eth_call` comes back with its nonce from everyone, through the identity precompile (address 4, yellow
 * paper appendix E).
 */
export const readMix: readonly RequestMaker[] = [
  read('eth_blockNumber', () => [], isQuantity),
  read('eth_chainId', () => [], isQuantity),
  read('eth_gasPrice', () => [], isQuantity),
  read('eth_getBlockByNumber', () => ['latest', false], isBlock),
  read('eth_getBalance', (nonce) => [nonce, 'latest'], isQuantity),
  read('eth_getTransactionCount', (nonce) => [nonce, 'latest'], isQuantity),
  read('eth_getCode', (nonce) => [nonce, 'latest'], isHex),
  read('eth_getStorageAt', (nonce) => [nonce, '0x0', 'latest'], isHex),
  read('eth_call', (nonce) => [{ to: IDENTITY, data: nonce }, 'latest'], names),
  read('eth_estimateGas', (nonce) => [{ to: nonce, data: nonce }], isQuantity),
];

const ECHOED = ['eth_getBalance', 'eth_getTransactionCount', 'eth_getCode', 'eth_getStorageAt', 'eth_call'];

/** The same ten for scripted nodes, which echo state reads: an answer meant for another request is not right. */
export const echoMix: readonly RequestMaker[] = readMix.map((maker) =>
  ECHOED.includes(maker.method) ? { ...maker, isRight: names } : maker,
);

/** May run once only. For scripted nodes: the nonce is the data. */
export const sendTransaction: RequestMaker = {
  method: 'eth_sendTransaction',
  params: (nonce) => [{ from: IDENTITY, to: nonce, value: '0x1', data: nonce }],
  idempotent: false,
  isRight: isHash,
};

/** The bytes are the nonce, which scripted nodes take for a transaction; repeating it does no harm. */
export const sendRawTransaction: RequestMaker = {
  method: 'eth_sendRawTransaction',
  params: (nonce) => [nonce],
  idempotent: true,
  isRight: (result, nonce) => result === keccak256(nonce),
};

function read(method: string, params: RequestMaker['params'], isRight: RequestMaker['isRight']): RequestMaker {
  return { method, params, idempotent: true, isRight };
}

function isQuantity(result: unknown): boolean {
  return typeof result === 'string' && /^0x(0|[1-9a-f][0-9a-f]*)$/.test(result);
}

function isHex(result: unknown): boolean {
  return typeof result === 'string' && /^0x([0-9a-f]{2})*$/.test(result);
}

function isHash(result: unknown): boolean {
  return typeof result === 'string' && /^0x[0-9a-f]{64}$/.test(result);
}

function isBlock(result: unknown): boolean {
  const { number, hash } = (result ?? {}) as { number?: unknown; hash?: unknown };
  return isQuantity(number) && isHash(hash);
}

function names(result: unknown, nonce: string): boolean {
  return typeof result === 'string' && result.includes(nonce.slice(2));
}
