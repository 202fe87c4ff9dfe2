import type { Refusal } from './problems';
import { defaultBurst } from './limits-section';
import { entriesOf, isMapping, itemsOf, type Path, valueAt } from './walk';

/**
 * Limits that could never act, or would refuse every call, are mistakes: whoever wrote them believes to be protected.
 *
 * @param limits the section as it was written, of any shape
 */
export function checkLimits(limits: unknown): Refusal[] {
  const base = rateOf(limits);
  const overrides = itemsOf(valueAt(limits, ['overrides'])).filter(isMapping);
  const costs = entriesOf(valueAt(limits, ['cost']));
  const rates = [base, ...overrides.map(rateOf)].map(({ perMinute }) => perMinute);
  const limitsSomebody = rates.some((rate) => rate !== undefined) || [limits, ...overrides].some(hasMethods);
  const refusals: Refusal[] = [];
  if (base.burst !== undefined && base.perMinute === undefined) refusals.push(needsRate(['limits', 'burst']));
  if (costs.length > 0 && rates.every((rate) => rate === undefined)) refusals.push(needsRate(['limits', 'cost']));
  for (const [method, cost] of costs) {
    const most = burstOf(base);
    if (typeof cost === 'number' && most !== undefined && cost > most) {
      refusals.push({ path: ['limits', 'cost', method], rule: `at most the burst (${most}), else no call passes` });
    }
  }
  const dearest = costs.reduce((most, [, cost]) => (typeof cost === 'number' ? Math.max(most, cost) : most), 1);
  for (const [index, override] of itemsOf(valueAt(limits, ['overrides'])).entries()) {
    if (isMapping(override)) {
      const context = { base, limitsSomebody, dearest };
      refusals.push(...checkOverride(override, ['limits', 'overrides', index], context));
    }
  }
  return refusals;
}

interface OverrideContext {
  readonly base: Rate;
  readonly limitsSomebody: boolean;
  /** The highest configured cost of a call. */
  readonly dearest: number;
}

function checkOverride(override: unknown, path: Path, { base, limitsSomebody, dearest }: OverrideContext): Refusal[] {
  const own = rateOf(override);
  const set = ['perMinute', 'burst'].filter((key) => valueAt(override, [key]) !== undefined);
  if (hasMethods(override)) set.push('methods');
  if (valueAt(override, ['unlimited']) === true) {
    if (set.length > 0) return [{ path, rule: 'either unlimited or limited', got: `unlimited and ${set.join(', ')}` }];
    const rule = 'left out where nothing else is limited';
    return limitsSomebody ? [] : [{ path: [...path, 'unlimited'], rule }];
  }
  if (set.length === 0) return [{ path, rule: 'given perMinute, burst, methods or unlimited', got: 'none of them' }];
  if (own.burst !== undefined && own.perMinute === undefined && base.perMinute === undefined) {
    return [needsRate([...path, 'burst'])];
  }
  // A burst belongs to its rate: another rate without one takes the default, not the burst meant for everybody.
  const most = burstOf(own.perMinute === undefined ? { ...base, burst: own.burst ?? base.burst } : own);
  const changesRate = own.perMinute !== undefined || own.burst !== undefined;
  if (!changesRate || most === undefined || dearest <= most) return [];
  return [
    { path, rule: `given a burst of at least the highest cost (${dearest}), else no call passes`, got: String(most) },
  ];
}

interface Rate {
  readonly perMinute: number | undefined;
  readonly burst: number | undefined;
}

function rateOf(section: unknown): Rate {
  return { perMinute: numberAt(section, 'perMinute'), burst: numberAt(section, 'burst') };
}

function burstOf({ perMinute, burst }: Rate): number | undefined {
  return perMinute === undefined ? undefined : (burst ?? defaultBurst(perMinute));
}

function hasMethods(section: unknown): boolean {
  return entriesOf(valueAt(section, ['methods'])).length > 0;
}

function numberAt(section: unknown, key: string): number | undefined {
  const value = valueAt(section, [key]);
  return typeof value === 'number' ? value : undefined;
}

function needsRate(path: Path): Refusal {
  return { path, rule: 'used together with perMinute', got: 'no perMinute' };
}
