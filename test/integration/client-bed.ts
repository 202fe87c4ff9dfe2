import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ChainConductor } from '../support/chain-conductor';
import { ProxyProcess } from '../support/proxy-process';

export const CHAIN_ID = 31_337;

/** Accounts of anvil's mnemonic; everybody knows their keys. */
export const ACCOUNTS = [
  {
    address: '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
    key: '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  },
  {
    address: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
    key: '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
  },
] as const;

/**
 * A contract with one word of storage: call data is stored in it and logged, no call data reads it.
 *
 *     CALLDATASIZE PUSH1 0f JUMPI   SLOAD(0) → memory, RETURN 32 bytes
 *     0f: JUMPDEST   CALLDATALOAD(0) → SSTORE(0), memory, LOG0 32 bytes
 *
 * The first 33 bytes put it into memory, the next ones return it as the contract's code.
 */
export const WORD_CODE = '0x36600f5760005460005260206000f35b60003580600055600052602060' + '00a000';
export const WORD_INIT = `0x7f${WORD_CODE.slice(2)}60005260206000f3`;

export function word(value: number): `0x${string}` {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

/** Two real nodes with one chain, a block every 250 ms, and the real proxy in front of them. */
export class ClientBed {
  private constructor(
    readonly chain: ChainConductor,
    readonly proxy: ProxyProcess,
  ) {}

  static async start(config: object = {}): Promise<ClientBed> {
    const chain = await ChainConductor.start({ nodes: 2, chainId: CHAIN_ID, blockTimeMs: 250 });
    await chain.mine(3);
    const nodes = chain.nodes.map(({ name, url }) => ({ name, url }));
    const proxy = await ProxyProcess.start({ ...config, chains: { dev: { chainId: CHAIN_ID, nodes } } });
    await proxy.until(({ chains }) => chains[0]?.nodes.every(({ health }) => health === 'up') === true);
    chain.startProduction();
    return new ClientBed(chain, proxy);
  }

  async close(): Promise<void> {
    await this.proxy.stop();
    await this.chain.close();
  }
}

/** Passes requests on as they are, and keeps the bodies that went each way. */
export class Recorder {
  readonly requests: string[] = [];
  readonly responses: string[] = [];
  readonly statuses: number[] = [];

  private constructor(private readonly server: Server) {}

  static async start(target: string): Promise<Recorder> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        void (async () => {
          const body = Buffer.concat(chunks).toString('utf8');
          recorder.requests.push(body);
          const headers = { 'content-type': 'application/json' };
          const answer = await fetch(target, { method: 'POST', headers, body });
          const text = await answer.text();
          recorder.responses.push(text);
          recorder.statuses.push(answer.status);
          const retryAfter = answer.headers.get('retry-after');
          response.writeHead(answer.status, {
            'content-type': 'application/json',
            ...(retryAfter !== null && { 'retry-after': retryAfter }),
          });
          response.end(text);
        })();
      });
    });
    const recorder = new Recorder(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return recorder;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
