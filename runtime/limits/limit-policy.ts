import { BlockList, isIP } from 'node:net';
import { defaultBurst } from '../config/limits-section';
import type { LimitOverrideConfig, LimitsConfig } from '../config/schema';
import { type Bucket, toBucket } from './gcra';

/** What applies to one client, ready for use. */
export interface ClientPolicy {
  readonly total: Bucket | undefined;
  /** Methods with a cost or a limit of their own. */
  readonly methods: ReadonlyMap<string, MethodRule>;
}

export interface MethodRule {
  /** Units a call takes of the total. */
  readonly cost: number;
  /** Counts calls, whatever they cost. */
  readonly bucket: Bucket | undefined;
  /** The place of the method's bucket among the client's; counted from 0. */
  readonly slot: number;
}

export interface LimitPolicy {
  forAddress(address: string): ClientPolicy;
}

/**
 * Prepares the configured limits, or answers undefined when there are none. That every call can pass (no cost above its
 * burst, no burst below 1) is checked by config/.
 */
export function compileLimitPolicy(config: LimitsConfig): LimitPolicy | undefined {
  const common = compileRates(config, config.cost);
  const overrides = config.overrides.map((override) => ({
    holds: toNetworks(override.cidrs),
    policy: compileRates(override.unlimited ? UNLIMITED : inherit(config, override), config.cost),
  }));
  if (![common, ...overrides.map(({ policy }) => policy)].some(limitsAnything)) return undefined;
  return { forAddress: (address) => overrides.find(({ holds }) => holds(address))?.policy ?? common };
}

function limitsAnything({ total, methods }: ClientPolicy): boolean {
  return total !== undefined || [...methods.values()].some(({ bucket }) => bucket !== undefined);
}

type Rate = Pick<LimitsConfig, 'perMinute' | 'burst'>;
type Rates = Rate & Pick<LimitsConfig, 'methods'>;

const UNLIMITED: Rates = { methods: {} };

function compileRates(rates: Rates, costs: LimitsConfig['cost']): ClientPolicy {
  const limits = new Map(Object.entries(rates.methods));
  const prices = new Map(Object.entries(costs));
  const methods = new Map<string, MethodRule>();
  for (const method of new Set([...limits.keys(), ...prices.keys()])) {
    const bucket = compileRate(limits.get(method) ?? {});
    methods.set(method, { cost: prices.get(method) ?? 1, bucket, slot: methods.size });
  }
  return { total: compileRate(rates), methods };
}

function compileRate({ perMinute, burst }: Rate): Bucket | undefined {
  return perMinute === undefined ? undefined : toBucket(perMinute, burst ?? defaultBurst(perMinute));
}

/** What an override leaves out is as for everybody. A burst belongs to its rate: another rate does not inherit it. */
function inherit(common: Rates, own: LimitOverrideConfig): Rates {
  const rate: Rate =
    own.perMinute === undefined ? { perMinute: common.perMinute, burst: own.burst ?? common.burst } : own;
  return { perMinute: rate.perMinute, burst: rate.burst, methods: { ...common.methods, ...own.methods } };
}

/** A client is a /64, so an override cannot tell its addresses apart. */
const CLIENT_PREFIX_BITS = 64;

/** One list for each family: to a BlockList of both, `::/0` holds IPv4 addresses too. */
function toNetworks(cidrs: readonly string[]): (address: string) => boolean {
  const ipv4 = new BlockList();
  const ipv6 = new BlockList();
  for (const cidr of cidrs) {
    const [base = '', bits] = cidr.split('/');
    const prefix = Number(bits ?? (isIP(base) === 4 ? 32 : 128));
    if (isIP(base) === 4) ipv4.addSubnet(base, prefix, 'ipv4');
    else if (IPV4_MAPPED.check(base, 'ipv6') && prefix >= MAPPED_PREFIX_BITS) ipv4.addSubnet(base, prefix, 'ipv6');
    else ipv6.addSubnet(base, Math.min(prefix, CLIENT_PREFIX_BITS), 'ipv6');
  }
  // Text that is no address (a client without one) is in no network.
  return (address) => (isIP(address) === 6 ? ipv6.check(address, 'ipv6') : ipv4.check(address, 'ipv4'));
}

/** Clients at `::ffff:0:0/96` are known by their IPv4 addresses (RFC 4291, 2.5.5.2). */
const MAPPED_PREFIX_BITS = 96;
const IPV4_MAPPED = new BlockList();
IPV4_MAPPED.addSubnet('::ffff:0:0', MAPPED_PREFIX_BITS, 'ipv6');
