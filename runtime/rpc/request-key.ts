import { toCanonical } from './canonical';

/** Params larger than this are not compared; they are rarely asked twice. */
const MAX_KEYED_BYTES = 16 * 1024;

/**
 * What makes two requests of one chain the same: method, block and params, each of which ends before the next begins
 * (a method's name cannot hold a line end, as it would not be in the table; canonical params are JSON).
 *
 * @param block hash of the block the answer is about, or what stands for it
 * @returns undefined where sameness cannot be told
 */
export function requestKey(method: string, block: string, params: Buffer): string | undefined {
  if (params.length > MAX_KEYED_BYTES) return undefined;
  const canonical = toCanonical(params);
  return canonical === undefined ? undefined : `${method}\n${block}\n${canonical}`;
}
