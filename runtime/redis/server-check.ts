import type { Redis as Client } from 'ioredis';
import { RedisFailure, toRedisFailure } from './failure';

/**
 * Whether this is a server to work with: not a cluster, not a replica (whose primary's name still leads here), not
 * still loading, and with the database that is meant: the client library stays in database 0 where it cannot select it.
 * A user who may not ask is believed to be right.
 *
 * @throws RedisFailure
 */
export async function checkServer(client: Client, database: number): Promise<void> {
  const facts = await client.info().catch((error: unknown) => {
    if ((error as Error).message.startsWith('NOPERM')) return client.ping();
    throw toRedisFailure(error);
  });
  if (/^cluster_enabled:1/m.test(facts)) throw new RedisFailure('CLUSTER');
  if (/^loading:1/m.test(facts)) throw new RedisFailure('LOADING');
  if (/^role:slave/m.test(facts)) throw new RedisFailure('READONLY');
  if (database !== 0) await client.select(database);
}
