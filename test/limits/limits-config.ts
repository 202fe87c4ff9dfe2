import type { LimitOverrideConfig, LimitsConfig } from '../../runtime/config/schema';

type Override = Pick<LimitOverrideConfig, 'cidrs'> & Partial<LimitOverrideConfig>;

/** The `limits` section with its empty defaults around what is given. */
export function limitsConfig(
  given: Partial<Omit<LimitsConfig, 'overrides'>> & { overrides?: Override[] },
): LimitsConfig {
  const overrides = (given.overrides ?? []).map((override) => ({ unlimited: false, ...override }));
  return { methods: {}, cost: {}, redisTimeoutMs: 50, onRedisFailure: 'local', ...given, overrides };
}
