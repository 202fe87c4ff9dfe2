import { Pool } from 'undici';
import { AnvilError } from './anvil-error';

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** Anvil takes bodies of 2 MB and one transaction has at most 128 KiB, which are twice as many hexadecimal digits. */
const BATCH_ITEMS = 7;

/** JSON-RPC over HTTP to one development node, on connections that are kept open and belong to it alone. */
export class RpcConnection {
  readonly #pool: Pool;
  readonly #timeoutMs: number;
  #id = 0;

  /** @param timeoutMs longest wait for a whole answer, in milliseconds. */
  constructor(url: string, timeoutMs: number) {
    this.#pool = new Pool(url);
    this.#timeoutMs = timeoutMs;
  }

  /** @throws AnvilError `RPC_ERROR`, `TIMEOUT` or `UNREACHABLE`. */
  async call(method: string, params: readonly unknown[]): Promise<unknown> {
    const answer = (await this.#post(method, this.#request(method, params))) as Answer;
    const refusal = refusalOf(method, answer);
    if (refusal !== undefined) throw refusal;
    return answer.result;
  }

  /**
   * The same method for many params, in as few messages as possible; the results do not matter.
   *
   * @returns for each params the node's refusal, or `undefined` where it was done.
   * @throws AnvilError `TIMEOUT` or `UNREACHABLE`; some may have been done then.
   */
  async callEach(method: string, params: readonly (readonly unknown[])[]): Promise<(AnvilError | undefined)[]> {
    const refusals: (AnvilError | undefined)[] = [];
    for (let start = 0; start < params.length; start += BATCH_ITEMS) {
      const requests = params.slice(start, start + BATCH_ITEMS).map((one) => this.#request(method, one));
      const answers = (await this.#post(method, requests)) as readonly Answer[];
      const byId = new Map(answers.map((answer) => [answer.id, answer]));
      refusals.push(...requests.map(({ id }) => refusalOf(method, byId.get(id))));
    }
    return refusals;
  }

  #request(method: string, params: readonly unknown[]) {
    return { jsonrpc: '2.0', id: ++this.#id, method, params };
  }

  async #post(method: string, message: unknown): Promise<unknown> {
    const body = JSON.stringify(message);
    const deadline = AbortSignal.timeout(this.#timeoutMs);
    try {
      const headers = { 'content-type': 'application/json' };
      const response = await this.#pool.request({ method: 'POST', path: '/', headers, body, signal: deadline });
      return await response.body.json();
    } catch (cause) {
      if (deadline.aborted) {
        throw new AnvilError('TIMEOUT', `${method}: no answer within ${this.#timeoutMs} ms`, { cause });
      }
      throw new AnvilError('UNREACHABLE', `${method}: the node's connection failed`, { cause });
    }
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

function refusalOf(method: string, answer: Answer | undefined): AnvilError | undefined {
  if (answer?.error === undefined) return undefined;
  const { code: rpcCode, message } = answer.error;
  return new AnvilError('RPC_ERROR', `${method}: ${message} (${rpcCode})`, { rpcCode });
}
