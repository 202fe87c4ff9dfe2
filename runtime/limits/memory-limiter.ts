import type { KnownClients } from './client-buckets';
import type { Decision, LimitedClient } from './decision';
import { takeAll } from './take';

/** Limits within this process. */
export class MemoryLimiter {
  constructor(private readonly clients: KnownClients) {}

  /** @returns one decision per method, in order; undefined where nothing is limited */
  take(client: LimitedClient, methods: readonly string[]): readonly Decision[] | undefined {
    const known = this.clients.of(client);
    return known && takeAll(known, methods, this.clients.at);
  }
}
