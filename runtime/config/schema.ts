import type { z } from 'zod';
import { chain } from './chain-section';
import type { DeepReadonly } from './deep-readonly';
import * as form from './forms';
import { haproxy } from './haproxy-section';
import { dictionary, list, section, text } from './keys';
import { limits } from './limits-section';
import { methods } from './methods-section';
import { redis } from './redis-section';
import { admin, http, listen, telemetry } from './serving-sections';

/** The configuration, complete: every default filled in, frozen. */
export type Config = DeepReadonly<z.output<typeof configSchema>>;
/** The configuration as it is written: whatever has a default may be left out. */
export type ConfigInput = z.input<typeof configSchema>;
export type ListenConfig = Config['listen'];
export type AdminConfig = Config['admin'];
export type HttpConfig = Config['http'];
export type LimitsConfig = Config['limits'];
export type LimitOverrideConfig = LimitsConfig['overrides'][number];
export type MethodsConfig = Config['methods'];
export type RedisConfig = NonNullable<Config['redis']>;
export type TelemetryConfig = Config['telemetry'];
export type HaproxySettings = Config['haproxy'];
export type ChainConfig = Config['chains'][string];
export type HealthConfig = ChainConfig['health'];
export type RoutingConfig = ChainConfig['routing'];
export type FailoverConfig = ChainConfig['failover'];
export type CacheConfig = ChainConfig['cache'];
export type FiltersConfig = ChainConfig['filters'];
export type NodeConfig = ChainConfig['nodes'][number];

/** Keys, ranges and defaults. What holds between keys is in cross-checks.ts; `parseConfig` applies both. */
export const configSchema = section('Everything.', {
  listen: listen.prefault({}),
  admin: admin.prefault({}),
  http: http.prefault({}),
  trustedProxies: list(
    'networks',
    text(form.network, 'A network or an address.'),
    'Networks of our own load balancers; only their X-Forwarded-For is believed.',
  ).default([]),
  limits: limits.prefault({}),
  redis: redis.optional(),
  methods: methods.prefault({}),
  telemetry: telemetry.prefault({}),
  haproxy: haproxy.prefault({}),
  defaultChain: text(form.chainName, 'The chain served at `/`; a name under `chains`.', {
    whenUnset: 'the first chain',
  }).optional(),
  chains: dictionary(
    'chains',
    [form.chainName, form.notReserved],
    chain,
    'The chains by name, at least one. Each is served at `/<name>` and `/<chainId>`.',
  ),
});
