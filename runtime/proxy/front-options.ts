import type { Config } from '../config/schema';
import { createClientKey } from '../front/client-key';
import type { ChainService } from '../front/exchange';
import type { HttpFrontOptions } from '../front/http';
import type { RateLimiter } from '../limits/rate-limiter';
import type { Refusal } from '../rpc/errors';
import type { Logger } from '../telemetry/logger';
import type { Metrics } from '../telemetry/metrics';
import { defaultChainOf } from './reload/config-changes';
import type { ChainParts } from './status';

/** What the front needs of the rest, whatever the configuration. */
export interface FrontParts {
  /** Of the program, for the page. */
  readonly version: string;
  readonly limiter: RateLimiter;
  readonly isReady: () => boolean;
  readonly onLimited: () => void;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** The front by one configuration. */
export function frontOptions(config: Config, chains: readonly ChainParts[], parts: FrontParts): HttpFrontOptions {
  const { http, trustedProxies, telemetry } = config;
  const { metrics, log } = parts;
  const services = new Map<string, ChainService>();
  for (const chain of chains) for (const path of chain.paths) services.set(path.slice(1), createService(chain, parts));
  const { sample } = telemetry.accessLog;
  return {
    http,
    services,
    chains: chains.flatMap(({ name, chainId, paths }) => paths.map((path) => ({ name, chainId, path }))),
    version: parts.version,
    clientKey: createClientKey(trustedProxies),
    isReady: parts.isReady,
    onRefused: (refused) => countRefused(metrics, refused),
    onError: (err) => {
      metrics.exceptions.inc();
      log.error({ err }, 'a request met a defect');
    },
    ...(sample > 0 && {
      onAnswered: (path: string, status: number, client: string, ms: number) => {
        if (Math.random() < sample) log.info({ path, status, client, ms: Math.round(ms) }, 'answered');
      },
    }),
  };
}

/** All of a configuration that `frontOptions` is made of: where it is equal, so is the front. */
export function frontShape(config: Config): unknown {
  const { http, trustedProxies, telemetry, chains } = config;
  const served = Object.entries(chains).map(([name, { chainId, failover }]) => [name, chainId, failover.deadlineMs]);
  return { http, trustedProxies, accessLog: telemetry.accessLog, atRoot: defaultChainOf(config), served };
}

function createService({ name, chain }: ChainParts, { limiter, onLimited, metrics }: FrontParts): ChainService {
  return {
    deadlineMs: chain.deadlineMs,
    head: () => chain.nodes.head,
    admit: (client, methods) => limiter.take(client, methods),
    handle: (request, context) => chain.handle(request, context),
    onRefused: (refused) => {
      countRefused(metrics, refused);
      if (refused.reason !== 'LIMITED') return;
      onLimited();
      metrics.limited.inc({ chain: name });
    },
  };
}

function countRefused(metrics: Metrics, refused: Refusal): void {
  metrics.refused.inc({ reason: refused.reason.toLowerCase() });
}
