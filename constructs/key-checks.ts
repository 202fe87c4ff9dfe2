import { maskUrl } from '../runtime/config/mask';
import { entriesOf, itemsOf, valueAt } from '../runtime/config/walk';
import type { RpcSettings } from './pod-settings';

/**
 * Manifests are read by many, and logged: no key may stand in one. Whether a text is a key cannot be known, so long ones
 * beside what `${NAME}` stands for are taken for one. What has another shape than settings have is told of elsewhere.
 *
 * @returns problems, which tell hosts only
 */
export function keyProblems({ chains }: RpcSettings): string[] {
  return entriesOf(chains).flatMap(([chain, settings]) =>
    itemsOf(valueAt(settings, ['nodes'])).flatMap((node, index) =>
      URL_KEYS.flatMap((path) => {
        const value = valueAt(node, path);
        if (typeof value !== 'string' || !looksSecret(value)) return [];
        const key = `chains.${chain}.nodes[${index}].${path.join('.')}`;
        return [`${key} must be a URL with its key written \${NAME}, got ${maskUrl(value)}`];
      }),
    ),
  );
}

const URL_KEYS = [['url'], ['wsUrl'], ['provider', 'url'], ['provider', 'wsUrl']];
const SHORTEST_KEY_CHARS = 16;

/** Names and tokens stand for something that is not here; what is beside them is. */
const STAND_INS = /\$\{[^}]*\}/g;
/** By hand: with a name in the place of its host or port, a text is no URL yet. */
const URL_PARTS = /^[a-z]+:\/\/(?:([^/\\?#]*)@)?[^/\\?#@]*(.*)$/i;

function looksSecret(url: string): boolean {
  const [, userinfo = '', rest = ''] = URL_PARTS.exec(url.replaceAll(STAND_INS, '')) ?? [];
  const [username = '', ...password] = userinfo.split(':');
  const words = [username, ...rest.split(/[/\\?&=#]/)].map(decode);
  // A password is one whatever its length.
  return words.some((word) => word.length >= SHORTEST_KEY_CHARS) || password.join(':') !== '';
}

function decode(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}
