import type { Duration, Size } from 'cdk8s';
import { MIB } from '../runtime/config/units';
import type { Config } from '../runtime/config/schema';
import { PORTS } from '../runtime/contract/ports';
import type { Rule } from './problems';
import { UNROUNDED } from './rules';

export interface PodFacts {
  readonly config: Config;
  /** Of the load balancer. */
  readonly idleTimeout: Duration;
  readonly deregistrationDelay: Duration;
  readonly gracePeriod: Duration;
  readonly proxyMemory: Size;
  readonly haproxyMemory: Size;
}

/** What must hold between the configuration, the pod and the load balancer, so that none of them ends before another. */
export function podRules(facts: PodFacts): Rule[] {
  return [...timingRules(facts), ...memoryRules(facts), ...portRules(facts)];
}

/** What the configuration knows of the pod's ports it checks itself; the weighter has a file of its own. */
function portRules({ config }: PodFacts): Rule[] {
  return Object.entries(config.chains).flatMap(([chain, { nodes }]) =>
    nodes.map(({ localPort }, index) => ({
      path: `chains.${chain}.nodes[${index}].localPort`,
      rule: 'a port of its own (the weighter has it too)',
      got: localPort,
      holds: localPort !== PORTS.weighter,
    })),
  );
}

const SPARE_SECONDS = 10;

/** The least seconds from SIGTERM to SIGKILL: the proxy drains, then HAProxy finishes, and something to spare. */
export function leastGraceSeconds({ listen, haproxy }: Config): number {
  const ms = listen.drainDelayMs + listen.drainTimeoutMs + haproxy.hardStopAfterMs;
  return Math.ceil(ms / 1000) + SPARE_SECONDS;
}

function timingRules({ config, idleTimeout, deregistrationDelay, gracePeriod }: PodFacts): Rule[] {
  const { http, listen } = config;
  const idle = idleTimeout.toMilliseconds();
  const deregistration = deregistrationDelay.toMilliseconds();
  const grace = leastGraceSeconds(config);
  const graceSeconds = gracePeriod.toSeconds({ integral: false });
  return [
    {
      path: 'http.keepAliveTimeoutMs',
      // Else a request crosses with the end of its connection, and the client sees a 502.
      rule: `more than alb.idleTimeout (${idle} ms)`,
      got: http.keepAliveTimeoutMs,
      holds: http.keepAliveTimeoutMs > idle,
    },
    {
      path: 'listen.drainDelayMs',
      // Else the load balancer sends requests to a pod that accepts none any more.
      rule: `at least alb.deregistrationDelay and 5 s (${deregistration + 5000} ms)`,
      got: listen.drainDelayMs,
      holds: listen.drainDelayMs >= deregistration + 5000,
    },
    {
      path: 'gracePeriod',
      rule: `at least drainDelayMs, drainTimeoutMs, hardStopAfterMs and ${SPARE_SECONDS} s (${grace} s)`,
      got: `${graceSeconds} s`,
      holds: graceSeconds >= grace,
    },
  ];
}

/**
 * Of the proxy without its cache: what it needs of its heap for requests under way, and what is beside the heap (see
 * `heapMebibytes`).
 */
const PROXY_BYTES = 192 * MIB;
/** What a byte of the cache takes of the heap: 1.15 bytes where answers are of 20 KB, 1.3 at 64 bytes; and room to collect. */
const HEAP_PER_CACHED_BYTE = 1.5;
/** A connection of HAProxy's at most: two buffers of 16 KiB and the state of TLS. With requests of 8 KB it took 25 KiB. */
const CONNECTION_BYTES = 48 * 1024;
const HAPROXY_BYTES = 32 * MIB;

const PROXY_RULE = 'one and a half times what all chains cache and 192 MiB';

function memoryRules({ config, proxyMemory, haproxyMemory }: PodFacts): Rule[] {
  const cache = Object.values(config.chains).reduce((sum, chain) => sum + chain.cache.maxBytes, 0);
  // While it reloads there are two workers.
  const haproxy = 2 * config.haproxy.maxConnections * CONNECTION_BYTES + HAPROXY_BYTES;
  return [
    memoryRule('proxyMemory', proxyMemory, HEAP_PER_CACHED_BYTE * cache + PROXY_BYTES, PROXY_RULE),
    memoryRule('haproxyMemory', haproxyMemory, haproxy, 'what two workers take with haproxy.maxConnections'),
  ];
}

function memoryRule(path: string, memory: Size, bytes: number, what: string): Rule {
  const least = Math.ceil(bytes / MIB);
  const mebibytes = memory.toMebibytes(UNROUNDED);
  return { path, rule: `at least ${what} (${least} MiB)`, got: `${mebibytes} MiB`, holds: mebibytes >= least };
}
