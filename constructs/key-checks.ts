import { maskUrl } from '../runtime/config/mask';
import type { RpcSettings } from './pod-settings';
import { isToken } from './tokens';

/**
 * Manifests are read by many, and logged: no key may stand in one. Whether a text is a key cannot be known, so long ones
 * without a `${NAME}` are taken for one.
 *
 * @returns problems, which tell hosts only
 */
export function keyProblems({ chains }: RpcSettings): string[] {
  return Object.entries(chains).flatMap(([chain, { nodes }]) =>
    nodes.flatMap(({ url, wsUrl, provider }, index) => {
      const path = `chains.${chain}.nodes[${index}]`;
      const urls = { url, wsUrl, 'provider.url': provider?.url, 'provider.wsUrl': provider?.wsUrl };
      return Object.entries(urls).flatMap(([key, value]) =>
        value !== undefined && looksSecret(value)
          ? [`${path}.${key} must be a URL with its key written \${NAME}, got ${maskUrl(value)}`]
          : [],
      );
    }),
  );
}

const SHORTEST_KEY_CHARS = 16;

function looksSecret(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password, pathname, search } = new URL(text);
  const words = [username, password, ...pathname.split('/'), ...search.split(/[?&=]/)].map(decode);
  return words.some((word) => !word.includes('${') && !isToken(word) && isLong(word)) || isPlain(password);
}

function isLong(word: string): boolean {
  return word.length >= SHORTEST_KEY_CHARS;
}

/** A password is one whatever its length. */
function isPlain(password: string): boolean {
  return password !== '' && !decode(password).includes('${');
}

function decode(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}
