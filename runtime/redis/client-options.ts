import { isIP } from 'node:net';
import type { RedisOptions } from 'ioredis';
import type { RedisConfig } from '../config/schema';

/** The pause before a connection is tried again, in milliseconds: short, for a new primary is found by trying. */
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1000;

/**
 * What the client library is to do: nothing by itself but keeping one connection. It neither queues while there is none,
 * nor repeats what it sent; what happens then is for the caller to decide.
 *
 * @param ca certificate authorities (PEM) instead of the system's
 */
export function clientOptions(config: RedisConfig, ca: Buffer | undefined) {
  const { connectTimeoutMs } = config;
  const url = new URL(config.url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const username = config.username ?? decodeURIComponent(url.username);
  const password = config.password ?? decodeURIComponent(url.password);
  const tls = {
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca }),
  };
  return {
    host,
    port: url.port === '' ? 6379 : Number(url.port),
    db: Number(url.pathname.slice(1) || 0),
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    ...(url.protocol === 'rediss:' && { tls }),
    protocol: 2,
    lazyConnect: true,
    disableClientInfo: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    // What is asked in one turn is written at once: plain commands take half the time, scripts as long as without.
    enableAutoPipelining: true,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: 100,
    // The name is looked up anew each time: that is how a fail-over of ElastiCache is followed.
    retryStrategy: (times) => Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (times - 1)) * (0.5 + 0.5 * Math.random()),
  } satisfies RedisOptions;
}
