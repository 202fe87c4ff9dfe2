/** The hash of a block as it is compared: 32 bytes in lower case. Undefined for what is none, whoever told it. */
export function toHash(value: unknown): string | undefined {
  return typeof value === 'string' && HASH.test(value) ? value.toLowerCase() : undefined;
}

const HASH = /^0x[0-9a-fA-F]{64}$/;
