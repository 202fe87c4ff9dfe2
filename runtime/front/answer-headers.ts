import type { ExchangeAnswer } from './exchange';

/** The headers of an answer beside its type and length. */
export function answerHeaders({ retryAfterMs, admission }: ExchangeAnswer, closing: boolean): Record<string, string> {
  const headers: Record<string, string> = {};
  if (closing) headers['connection'] = 'close';
  // ethers 6 reads a bare number as milliseconds; with a leading zero it does not, and backs off by itself.
  if (retryAfterMs !== undefined) headers['retry-after'] = toSeconds(retryAfterMs).padStart(2, '0');
  if (admission?.limit !== undefined) {
    headers['ratelimit-limit'] = String(admission.limit);
    headers['ratelimit-remaining'] = String(admission.remaining ?? 0);
    headers['ratelimit-reset'] = toSeconds(admission.resetMs ?? admission.retryAfterMs ?? 0);
  }
  return headers;
}

function toSeconds(ms: number): string {
  return String(Math.ceil(ms / 1000));
}
