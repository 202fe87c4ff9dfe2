import { Readable } from 'node:stream';
import type { ResultScanner } from './result-scanner';

export interface StreamSource {
  pause(): void;
  resume(): void;
  /** The reader has gone before the end. */
  abandon(): void;
}

/** A large result on its way from a node to a client, at the client's pace. */
export class ResultStream extends Readable {
  constructor(
    readonly scanner: ResultScanner,
    private readonly source: StreamSource,
  ) {
    super({ highWaterMark: 128 * 1024 });
  }

  override _read(): void {
    this.source.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.source.abandon();
    callback(error);
  }
}
