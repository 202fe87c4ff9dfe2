import { getCreateAddress, Interface, toBeHex } from 'ethers';
import { setTimeout as sleep } from 'node:timers/promises';
import { sign, wallets, word } from './oracle-counter';

/** What the contract logs, for those who decode it. */
export const TICK = new Interface(['event Tick(uint256 indexed parity, uint256 number)']);

/** The first topic of each log. */
export const TICK_TOPIC = TICK.getEvent('Tick')?.topicHash ?? '';

/**
 * A contract without state, assembled by hand. Call data are two words, `count` last: it logs the numbers `first`,
 * `first + 1` … `first + count - 1`, each as `Tick(number & 1, number)`. Having no state it logs the same in whatever
 * block its transaction ends up, so after a reorg the same numbers come again.
 *
 *     PUSH1 20 CALLDATALOAD  PUSH1 0 CALLDATALOAD         6020 35 6000 35          count first
 *     DUP1 SWAP2 ADD SWAP1                                80 91 01 90              end n
 *     0a: JUMPDEST  DUP1 PUSH1 0 MSTORE                   5b 80 6000 52
 *     DUP1 PUSH1 1 AND                                    80 6001 16               end n parity
 *     PUSH32 topic  PUSH1 20 PUSH1 0 LOG2                 7f… 6020 6000 a2         end n
 *     PUSH1 1 ADD  DUP2 DUP2 LT  PUSH1 0a JUMPI  STOP     6001 01 81 81 10 600a 57 00
 */
const CODE = `602035600035809101905b80600052806001167f${TICK_TOPIC.slice(2)}60206000a2600101818110600a5700`;

/** PUSH1 length DUP1 PUSH1 0b PUSH1 0 CODECOPY PUSH1 0 RETURN, and the code behind it. */
const DEPLOY = `0x60${(CODE.length / 2).toString(16)}80600b6000396000f3${CODE}`;

/** Makes a block, on whichever nodes there are. */
interface Miner {
  mine(): Promise<unknown>;
}

/** A node, or several that take the same. */
interface Asked {
  rpc(method: string, params: readonly unknown[]): Promise<unknown>;
}

/**
 * Logs with numbers that count up from 0, made by transactions of one account.
 *
 *     const emitter = await LogEmitter.deploy(chain, node);
 *     await emitter.emit(5);                 // a transaction with five logs, in the next block
 *     emitter.start(50);                     // fifty a second …
 *     await emitter.stop();                  // … and no more
 */
export class LogEmitter {
  /** How many numbers were handed out; the next log says this one. */
  emitted = 0;
  #nonce = 1;
  #running: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  /** @param through the node that gets the transactions; it must live as long as logs are wanted. */
  static async deploy(chain: Miner, through: Asked, account = 8): Promise<LogEmitter> {
    const from = wallets[account];
    if (from === undefined) throw new RangeError(`there are ${wallets.length} accounts, got ${account}`);
    await through.rpc('eth_sendRawTransaction', [await sign({ from, nonce: 0, data: DEPLOY })]);
    await chain.mine();
    return new LogEmitter(from, through, getCreateAddress({ from: from.address, nonce: 0 }).toLowerCase());
  }

  private constructor(
    private readonly from: (typeof wallets)[number],
    private readonly through: Asked,
    readonly address: string,
  ) {}

  /** One transaction with so many logs, at most 100. @returns its hash. */
  async emit(count: number): Promise<string> {
    const data = word(this.emitted) + word(count).slice(2);
    this.emitted += count;
    const raw = await sign({ from: this.from, nonce: this.#nonce++, to: this.address, data });
    return String(await this.through.rpc('eth_sendRawTransaction', [raw]));
  }

  /** Ten transactions a second that share the logs evenly, until `stop`; a moment missed is made up for. */
  start(logsPerSecond: number): void {
    const stop = new AbortController();
    this.#running = { stop, ended: this.#run(logsPerSecond / 10, stop.signal) };
  }

  /** Resolves when the last transaction is with the node. @throws what sending one of them threw. */
  async stop(): Promise<void> {
    this.#running?.stop.abort();
    await this.#running?.ended;
    this.#running = undefined;
  }

  async #run(perTransaction: number, signal: AbortSignal): Promise<void> {
    const begin = performance.now();
    for (let turn = 1; !signal.aborted; turn++) {
      await this.emit(perTransaction);
      await sleep(begin + turn * 100 - performance.now(), undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The number a log says. */
export function tickOf(data: string): number {
  return Number(toBeHex(data));
}
