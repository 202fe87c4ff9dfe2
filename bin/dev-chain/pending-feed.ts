import { WebSocket } from 'undici';
import type { TransactionJson } from './signed-transaction';

/**
 * Hears of each transaction the moment a node's pool takes it. Anvil's `newPendingTransactions` subscription, asked for
 * whole transactions, carries the signed content, so that even one that leaves the pool again at once is not lost.
 */
export class PendingFeed {
  readonly #url: string;
  readonly #onTransaction: (transaction: TransactionJson) => void;
  #socket: WebSocket | undefined;
  #answered: Promise<void> = Promise.resolve();

  constructor(url: string, onTransaction: (transaction: TransactionJson) => void) {
    this.#url = url;
    this.#onTransaction = onTransaction;
  }

  /**
   * Connects if there is no connection; to be called again and again, for it never tries by itself. Resolves when the
   * node has confirmed the subscription, or nothing came of it.
   */
  ensure(): Promise<void> {
    if (this.#socket === undefined) this.#answered = this.#connect();
    return this.#answered;
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #connect(): Promise<void> {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, CONFIRM_MS);
      const end = (): void => {
        if (this.#socket === socket) this.#socket = undefined;
        clearTimeout(timer);
        resolve();
      };
      socket.addEventListener('open', () => socket.send(SUBSCRIBE));
      socket.addEventListener('message', ({ data }) => {
        this.#read(String(data));
        clearTimeout(timer);
        resolve();
      });
      socket.addEventListener('error', end);
      socket.addEventListener('close', end);
    });
  }

  #read(text: string): void {
    const message = JSON.parse(text) as { readonly params?: { readonly result: TransactionJson } };
    if (message.params !== undefined) this.#onTransaction(message.params.result);
  }
}

/** A node stopped in this very moment never confirms; what it has is heard of at the next block then. */
const CONFIRM_MS = 1000;

const SUBSCRIBE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'eth_subscribe',
  params: ['newPendingTransactions', true],
});
