import { isIP } from 'node:net';
import type { RedisOptions } from 'ioredis';
import type { RedisConfig } from '../config/schema';

/** Which database of it, as in `redis://host/1`. */
export function databaseOf({ url }: RedisConfig): number {
  return Number(new URL(url).pathname.slice(1) || 0);
}

/**
 * What the client library is to do: nothing by itself but keeping one connection. It neither queues while there is none,
 * nor repeats what it sent; what happens then is for the caller to decide.
 *
 * @param ca certificate authorities (PEM) instead of the system's
 * @param pauseMs how long to wait before the next dialling; the name is looked up anew each time, which is how a
 *   fail-over of ElastiCache is followed
 */
export function clientOptions(config: RedisConfig, ca: string | undefined, pauseMs: () => number) {
  const url = new URL(config.url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const password = config.password ?? decodeURIComponent(url.password);
  const given = config.username ?? decodeURIComponent(url.username);
  // By his name, as Redis has it since version 6: else the client library writes to the console where he needs none.
  const username = given === '' && password !== '' ? 'default' : given;
  const tls = {
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca }),
  };
  return {
    host,
    port: url.port === '' ? 6379 : Number(url.port),
    db: databaseOf(config),
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    ...(url.protocol === 'rediss:' && { tls }),
    protocol: 2,
    lazyConnect: true,
    disableClientInfo: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    // It would hold back what is asked while any answer is under way: up to twice the time for each.
    enableAutoPipelining: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: config.connectTimeoutMs,
    disconnectTimeout: 100,
    retryStrategy: pauseMs,
  } satisfies RedisOptions;
}
