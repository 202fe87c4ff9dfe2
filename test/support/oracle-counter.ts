import { getCreateAddress, HDNodeWallet } from 'ethers';
import type { AnvilNode } from '../../bin/dev-chain/anvil-node';

/**
 * A contract with state, small enough to be assembled by hand. Without call data it returns slot 0; with call data it
 * adds the first word to slot 0 and logs the sum.
 *
 *     CALLDATASIZE PUSH1 0f JUMPI                         36 600f 57
 *     PUSH1 0 SLOAD PUSH1 0 MSTORE                        6000 54 6000 52
 *     PUSH1 20 PUSH1 0 RETURN                             6020 6000 f3
 *     JUMPDEST PUSH1 0 CALLDATALOAD PUSH1 0 SLOAD ADD     5b 6000 35 6000 54 01
 *     DUP1 PUSH1 0 SSTORE PUSH1 0 MSTORE                  80 6000 55 6000 52
 *     PUSH1 7 PUSH1 20 PUSH1 0 LOG1 STOP                  6007 6020 6000 a1 00
 */
export const COUNTER_CODE = '0x36600f5760005460005260206000f35b6000356000540180600055600052600760206000a100';

/** PUSH1 length DUP1 PUSH1 0b PUSH1 0 CODECOPY PUSH1 0 RETURN, and the code behind it. */
const DEPLOY = `0x60${(COUNTER_CODE.length / 2 - 1).toString(16)}80600b6000396000f3${COUNTER_CODE.slice(2)}`;

const MNEMONIC = 'test test test test test test test test test test test junk';

/** The accounts every anvil begins with. */
export const wallets = Array.from({ length: 10 }, (_, index) =>
  HDNodeWallet.fromPhrase(MNEMONIC, '', `m/44'/60'/0'/0/${index}`),
);

export interface Signed {
  readonly from: HDNodeWallet;
  readonly nonce: number;
  readonly to?: string;
  readonly data?: string;
  readonly value?: bigint;
}

export function sign({ from, nonce, to, data, value }: Signed): Promise<string> {
  return from.signTransaction({
    nonce,
    type: 2,
    chainId: 31337,
    gasLimit: 200_000,
    maxFeePerGas: 10n ** 11n,
    maxPriorityFeePerGas: 1n,
    value: value ?? 0n,
    ...(to !== undefined && { to }),
    ...(data !== undefined && { data }),
  });
}

/** A word of call data. */
export function word(value: number): string {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

/** Sends the contract's deployment, the first transaction of the tenth account. @returns where it will be */
export async function deployCounter(node: AnvilNode): Promise<string> {
  const from = wallets[9];
  if (from === undefined) throw new Error('there are ten accounts');
  const hash = await node.rpc('eth_sendRawTransaction', [await sign({ from, nonce: 0, data: DEPLOY })]);
  if (typeof hash !== 'string') throw new Error('the deployment was not taken');
  return getCreateAddress({ from: from.address, nonce: 0 }).toLowerCase();
}
