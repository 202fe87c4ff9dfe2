/** The caller as the limits see it; a `ClientKey` of the front is one. */
export interface LimitedClient {
  /** One bucket each: an IPv4 address, or an IPv6 /64. */
  readonly key: string;
  /** The full address, for the overrides by network. */
  readonly address: string;
}

export type BucketName = 'total' | 'method';

/** A bucket as the decision left it, for the RateLimit headers. */
export interface BucketState {
  readonly bucket: BucketName;
  /** Units per minute. */
  readonly limit: number;
  /** Units a rested caller may take at once. */
  readonly burst: number;
  /** Units left now. */
  readonly remaining: number;
  /** Milliseconds until the bucket is full again. */
  readonly resetMs: number;
}

/** No limit applies to this call. */
export interface Unlimited {
  readonly allowed: true;
  readonly bucket?: never;
  readonly limit?: never;
  readonly burst?: never;
  readonly remaining?: never;
  readonly resetMs?: never;
}

/** Tells of the bucket with the fewest units left. */
export interface Allowed extends BucketState {
  readonly allowed: true;
}

/** Nothing was taken. Tells of the bucket that refused, or of the one to wait longest for if both did. */
export interface Refused extends BucketState {
  readonly allowed: false;
  /** Whole milliseconds, at least 1, until the same call passes if nothing else is asked. */
  readonly retryAfterMs: number;
}

export type Decision = Unlimited | Allowed | Refused;
