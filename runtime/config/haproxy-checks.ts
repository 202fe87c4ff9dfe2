import { nodesOf } from './cross-checks';
import type { Refusal } from './problems';
import { entriesOf, valueAt } from './walk';

/**
 * What must hold for haproxy.cfg beyond what the proxy asks of the same file.
 *
 * @param document with everything expanded, of any shape
 */
export function checkForHaproxy(document: unknown): Refusal[] {
  const local = nodesOf(document).filter(({ node }) => valueAt(node, ['localPort']) !== undefined);
  if (local.length === 0 && entriesOf(valueAt(document, ['chains'])).length > 0) {
    return [{ path: ['chains'], rule: 'given a node with localPort and provider', got: 'none' }];
  }
  return local.flatMap(({ node, path }) => {
    const provider = valueAt(node, ['provider']);
    if (provider === undefined) return [{ path: [...path, 'provider'], rule: 'set for a node with localPort' }];
    // A form that waits for the expansion lets anything with `${` pass; now there is none to wait for.
    return entriesOf(provider).flatMap(([key, value]) =>
      typeof value === 'string' && value.includes('${')
        ? [{ path: [...path, 'provider', key], rule: 'a text without ${ after it was expanded' }]
        : [],
    );
  });
}
