import { isMapping, valueAt } from '../runtime/config/walk';
import type { Rule } from './problems';
import type { RpcChartProps } from './rpc-chart';

/** What the pod decides itself, so that its ports, sockets, networks and password are those of the manifests. */
export const DECIDED = {
  settings: [
    ['admin'],
    ['redis'],
    ['trustedProxies'],
    ['listen', 'host'],
    ['listen', 'port'],
    ['haproxy', 'pool'],
    ['haproxy', 'stats'],
    ['haproxy', 'adminSocket'],
    ['haproxy', 'socketGid'],
  ],
  weighter: [['admin'], ['servers'], ['listen']],
} as const;

export const WHY_DECIDED = 'it is decided where it is deployed';

/** The types leave these keys out; settings that come from elsewhere, or of a wider type, may have them all the same. */
export function decidedKeyRules({ settings, weighter }: Pick<RpcChartProps, 'settings' | 'weighter'>): Rule[] {
  const documents = { settings, weighter };
  return (['settings', 'weighter'] as const).flatMap((of) =>
    DECIDED[of].map((path) => {
      const value = valueAt(documents[of], path);
      return {
        path: [of, ...path].join('.'),
        rule: `left out: ${WHY_DECIDED}`,
        // It may be a password.
        got: isMapping(value) ? 'a mapping' : 'a value',
        holds: value === undefined,
      };
    }),
  );
}
