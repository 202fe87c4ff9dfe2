/** An answer as it is kept: the JSON of a result, or of a deterministic error. */
export interface CachedAnswer {
  readonly kind: 'result' | 'error';
  /** JSON bytes, one character a byte (latin1), which takes half the memory of a Buffer for small answers. */
  readonly text: string;
}

/** Where answers are kept. What is kept is right for as long as it is kept; how long that is the writer decides. */
export interface ResponseCache {
  get(key: string): CachedAnswer | undefined;
  /** @param ttlMs 0 is for as long as there is room */
  set(key: string, answer: CachedAnswer, ttlMs: number): void;
}
