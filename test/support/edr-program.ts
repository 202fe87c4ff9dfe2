import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { EdrContext, Provider, type ProviderConfig } from '@nomicfoundation/edr';
import { type EdrResponse, EdrServer } from './edr-server';

/** What the program is told, as JSON in its first argument. */
export interface EdrProgramOptions {
  readonly chainId: number;
  /** Of the genesis block, in seconds since 1970. */
  readonly timestamp: number;
  /** 0 for one the system picks. */
  readonly port: number;
  /** Private keys of the accounts that have something, in hexadecimal; the node signs for them. */
  readonly keys: readonly string[];
}

/** Told to the parent when the node answers. */
export interface EdrListening {
  readonly port: number;
}

// The package declares these as enumerations that only its own compiler may read.
const CANCUN = 17 as never;
const FIFO = 'Fifo' as never;
const GAS_LIMIT = 30_000_000n;
const WEI_EACH = 10_000n * 10n ** 18n;

/** Nothing is mined before it is asked for, so that two nodes that are asked for the same have the same blocks. */
function configOf({ chainId, timestamp, keys }: EdrProgramOptions): ProviderConfig {
  return {
    chainId: BigInt(chainId),
    networkId: BigInt(chainId),
    initialDate: BigInt(timestamp),
    hardfork: CANCUN,
    genesisAccounts: keys.map((secretKey) => ({ secretKey, balance: WEI_EACH })),
    mining: { autoMine: false, memPool: { order: FIFO } },
    blockGasLimit: GAS_LIMIT,
    initialBaseFeePerGas: 1_000_000_000n,
    initialBlobGas: { gasUsed: 0n, excessGas: 0n },
    initialParentBeaconBlockRoot: Buffer.alloc(32),
    coinbase: Buffer.alloc(20),
    minGasPrice: 0n,
    chains: [],
    allowBlocksWithSameTimestamp: false,
    allowUnlimitedContractSize: false,
    bailOnCallFailure: true,
    bailOnTransactionFailure: true,
  };
}

const silent = {
  enable: false,
  decodeConsoleLogInputsCallback: () => [],
  // Without a name it ends itself at a call, although nothing is printed.
  getContractAndFunctionNameCallback: () => ({ contractName: '', functionName: '' }),
  printLineCallback: () => undefined,
};

async function main(options: EdrProgramOptions): Promise<void> {
  const provider = await Provider.withConfig(new EdrContext(), configOf(options), silent, (event) =>
    server.notify(`0x${event.filterId.toString(16)}`, event.result),
  );
  const server = new EdrServer(async (method, params) => {
    const { json } = await provider.handleRequest(JSON.stringify({ method, params }));
    return JSON.parse(json) as EdrResponse;
  });
  server.http.listen(options.port, '127.0.0.1');
  await once(server.http, 'listening');
  const { port } = server.http.address() as AddressInfo;
  process.send?.({ port } satisfies EdrListening);
}

// It does not outlive who started it.
process.once('disconnect', () => process.exit());
void main(JSON.parse(process.argv[2] ?? '') as EdrProgramOptions);
