import { randomBytes } from 'node:crypto';
import type { RequestMaker } from './load-mix';
import type { Asked } from './load-outcome';

/** `plain`: whole numbers and ASCII strings. `tricky`: ids that a parse and a re-write would change. */
export type IdStyle = 'plain' | 'tricky';

export interface LoadRequest extends Asked {
  readonly carriesNonce: boolean;
  readonly body: string;
}

/** Requests of the mix in turn, each with an id and a nonce that no other request has, in this run or another. */
export function createRequests(mix: readonly RequestMaker[], ids: IdStyle): () => LoadRequest {
  const run = `10ad${randomBytes(6).toString('hex')}`;
  const spellings = ID_SPELLINGS[ids];
  let count = 0;
  return () => {
    const number = ++count;
    const maker = inTurn(mix, number);
    // The next spelling after a whole round of the mix: each method meets each of them.
    const id = inTurn(spellings, Math.floor(number / mix.length))(number);
    const nonce = `0x${run}${number.toString(16).padStart(24, '0')}`;
    const params = JSON.stringify(maker.params(nonce));
    const body = `{"jsonrpc":"2.0","id":${id},"method":"${maker.method}","params":${params}}`;
    return { maker, id, nonce, body, carriesNonce: params.includes(nonce) };
  };
}

const ID_SPELLINGS: Record<IdStyle, readonly ((number: number) => string)[]> = {
  plain: [(number) => `${number}`, (number) => `"load-${number}"`],
  tricky: [
    (number) => `${number}`,
    (number) => `"load-${number}"`,
    // Beyond 2^53: a double would round it.
    (number) => `9007199254740993${String(number).padStart(8, '0')}`,
    (number) => `-${number}.50`,
    (number) => `${number}e2`,
    (number) => `"\\u006c\\/${number}"`,
    (number) => `"é 🦊 ${number}"`,
  ],
};

function inTurn<T>(list: readonly T[], turn: number): T {
  const item = list[turn % list.length];
  if (item === undefined) throw new TypeError('a load needs a mix of at least one request maker');
  return item;
}
