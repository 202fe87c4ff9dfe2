import type { Duration } from 'cdk8s';
import { Yaml } from 'cdk8s';
import { ConfigError, parseConfig } from '../runtime/config/load';
import { type HaproxyConfig, loadHaproxyConfig } from '../runtime/config/load-haproxy';
import type { Config } from '../runtime/config/schema';
import { parseWeighterConfig, type WeighterConfig } from '../runtime/config/weighter-config';
import { PATHS } from '../runtime/contract/paths';
import { PORTS } from '../runtime/contract/ports';
import { SHARED_GROUP } from '../runtime/contract/groups';
import type { RedisProps, RpcSettings, WeighterSettings } from './pod-settings';
import { SettingsError } from './problems';
import { withoutTokens } from './tokens';

export interface PodConfigProps {
  readonly settings: RpcSettings;
  readonly weighter: WeighterSettings;
  readonly redis: RedisProps | undefined;
  /** Networks of our own load balancer. */
  readonly albCidrs: readonly string[];
  readonly idleTimeout: Duration;
  readonly deregistrationDelay: Duration;
}

/** What the programs of the pod read, and what it means with every default filled in. */
export interface PodConfig {
  /** Of the proxy and of `render`. */
  readonly text: string;
  readonly weighterText: string;
  readonly config: Config;
  /** With something in place of the providers' keys. */
  readonly haproxy: HaproxyConfig;
  readonly weighter: WeighterConfig;
}

/**
 * Writes the pod's configuration and reads it back as the programs will, so that what they would refuse is refused here.
 *
 * @param earlier problems that were found before, to be told together with those of the configuration
 * @param askMore what is wrong with a configuration that can be read; asked whether the other programs' can be or not
 * @throws SettingsError with all problems of all programs
 */
export function podConfig(
  props: PodConfigProps,
  earlier: readonly string[] = [],
  askMore: (config: Config) => readonly string[] = () => [],
): PodConfig {
  const text = Yaml.stringify(plain(documentOf(props)));
  const weighterText = `${JSON.stringify(weighterDocument(props.weighter), undefined, 2)}\n`;
  const problems: string[] = [];
  const attempt = <T>(read: () => T, of = ''): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems.map((problem) => of + problem));
      return undefined;
    }
  };
  const known = withoutTokens(text);
  const config = attempt(() => parseConfig(known, { env: {}, readFile }));
  const haproxy = attempt(() => loadHaproxyConfig(known, { env: {}, secrets: secretsIn(known), readFile }));
  const weighter = attempt(() => parseWeighterConfig(weighterText, { env: {}, readFile }), 'weighter.');
  const all = [...earlier, ...new Set(problems), ...(config === undefined ? [] : askMore(config))];
  if (all.length > 0 || config === undefined || haproxy === undefined || weighter === undefined) {
    throw new SettingsError('the chart', all);
  }
  return { text, weighterText, config, haproxy, weighter };
}

const SPARE_MS = 5000;
const FINISH_MS = 30_000;

function documentOf({ settings, redis, albCidrs, idleTimeout, deregistrationDelay }: PodConfigProps): object {
  const drainDelayMs = settings.listen?.drainDelayMs ?? deregistrationDelay.toMilliseconds() + SPARE_MS;
  const { listen, http, haproxy, ...others } = settings;
  return {
    listen: {
      // Clients still come while the load balancer learns that this pod ends; drainTimeoutMs counts from the signal too.
      drainDelayMs,
      drainTimeoutMs: drainDelayMs + FINISH_MS,
      ...listen,
      host: ANY_ADDRESS,
      port: PORTS.rpc,
    },
    admin: { host: ANY_ADDRESS, port: PORTS.admin },
    http: { keepAliveTimeoutMs: idleTimeout.toMilliseconds() + SPARE_MS, ...http },
    trustedProxies: albCidrs,
    ...(redis && { redis: redisDocument(redis) }),
    haproxy: {
      // Told, because HAProxy would take as many as it may open files, and memory for them.
      maxConnections: 2000,
      hardStopAfterMs: 30_000,
      ...haproxy,
      pool: { host: ANY_ADDRESS, port: PORTS.http },
      stats: { host: ANY_ADDRESS, port: PORTS.stats },
      adminSocket: PATHS.adminSocket,
      socketGid: SHARED_GROUP,
    },
    ...others,
  };
}

/** Of the pod; the network policy says who reaches it. */
const ANY_ADDRESS = '0.0.0.0';

function redisDocument({ host, port = 6379, username, keyPrefix }: RedisProps): object {
  const password = `\${file:${PATHS.redisPassword}#password}`;
  return { url: `rediss://${host}:${port}`, username, password, keyPrefix };
}

function weighterDocument(settings: WeighterSettings): object {
  return { ...settings, admin: { path: PATHS.adminSocket }, listen: { host: ANY_ADDRESS, port: PORTS.weighter } };
}

/** Without what is undefined, which YAML would write as null. */
function plain(document: object): unknown {
  return JSON.parse(JSON.stringify(document));
}

/** The files that will be in the pod; there are no others. */
function readFile(path: string): string {
  if (path === PATHS.redisPassword) return JSON.stringify({ password: PLACEHOLDER });
  throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
}

const PLACEHOLDER = 'placeholder';

function secretsIn(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/\$\{([A-Za-z_]\w*)\}/g)].map(([, name = '']) => [name, PLACEHOLDER]));
}
