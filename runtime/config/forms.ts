import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Form } from './keys';

export const host: Form = {
  rule: 'an IP address or a host name',
  range: 'IP address or host name',
  test: (value) => isIP(value) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value),
};

export const network: Form = {
  rule: 'a network such as 10.0.0.0/8, or an IP address',
  range: 'network or IP address',
  test: (value) => {
    const [address = '', ...rest] = value.split('/');
    // Node's check first: ipaddr.js also takes octal, hexadecimal and shortened forms, where parsers disagree.
    if (isIP(address) === 0 || address.includes('%')) return false;
    return rest.length === 0 || (/^[^/]+\/\d{1,3}$/.test(value) && ipaddr.isValidCIDR(value));
  },
};

export const origin: Form = {
  rule: 'an origin such as https://app.example, or *',
  range: 'origin or `*`',
  test: (value) => value === '*' || (hasScheme(value, ['http', 'https']) && parseUrl(value)?.origin === value),
};

export const methodPattern: Form = {
  rule: 'a method name, or the start of one and *',
  range: 'letters, digits, `_`, and one `*` at the end',
  test: (value) => /^[A-Za-z0-9_]+\*?$/.test(value),
};

export const methodName: Form = {
  rule: 'the name of a method (letters, digits and _)',
  range: 'letters, digits, `_`',
  // `__proto__` as a key is the way to an object's prototype in too many libraries.
  test: (value) => /^[A-Za-z0-9_]+$/.test(value) && value !== '__proto__',
};

export const nodeName: Form = {
  rule: 'a name of letters, digits, dots, dashes and _ that begins with a letter or digit',
  range: 'letters, digits, `.`, `-`, `_`',
  test: (value) => /^[a-z0-9][a-z0-9._-]*$/i.test(value),
};

export const chainName: Form = {
  rule: 'a name of lower-case letters, digits and dashes that begins with a letter',
  range: 'lower-case letters, digits, dashes',
  test: (value) => /^[a-z][a-z0-9-]*$/.test(value),
};

/** Paths of the proxy itself; a chain is served at the path of its name. */
const RESERVED = ['readyz', 'livez', 'metrics', 'status'];

export const notReserved: Form = {
  rule: `a name other than ${RESERVED.join(', ')} (paths of the balancer itself)`,
  range: `not ${RESERVED.join(', ')}`,
  test: (value) => !RESERVED.includes(value),
};

/** Databases are numbered; anything else in the path is a mistake. */
export const redisUrl: Form = {
  rule: 'a URL such as redis://host:6379, rediss://host:6379 or redis://host:6379/1 (what is no plain character of a user or password as %40, %2F, %25 …)',
  range: 'redis or rediss URL',
  test: (value) => {
    const url = hasScheme(value, ['redis', 'rediss']) && !/\s/.test(value) ? parseUrl(value) : undefined;
    if (url === undefined || url.hostname === '' || url.port === '0' || url.search + url.hash !== '') return false;
    return /^\/?\d{0,4}$/.test(url.pathname) && isDecodable(url.username + url.password);
  },
};

export const anyText: Form = { rule: 'a text that is not empty', range: 'not empty', test: (value) => value !== '' };

export const keyPrefix: Form = {
  rule: 'letters, digits, :, -, _ and dots, at least one and at most 64',
  range: 'letters, digits, `:`, `-`, `_`, `.`; 1 to 64',
  test: (value) => /^[\w:.-]{1,64}$/.test(value),
};

export const httpUrl: Form = urlForm(['http', 'https']);
export const wsUrl: Form = urlForm(['ws', 'wss']);

/** A form whose texts may still hold `${…}`; then only the program that fills it in can check it. */
export function unexpanded(form: Form): Form {
  return { ...form, test: (value) => value.includes('${') || form.test(value) };
}

/**
 * Clouds serve credentials at link-local addresses (169.254.169.254, fd00:ec2::254). Only literals can be seen here; a
 * name is checked when it is dialled. The URL parser has already turned odd spellings (decimal, octal) into plain ones.
 */
export const notMetadata: Form = {
  rule: 'an address other than the link-local metadata addresses',
  range: 'no link-local metadata address',
  test: (value) => {
    const hostname = parseUrl(value)?.hostname.replace(/^\[|\]$/g, '') ?? '';
    if (isIP(hostname) === 0) return true;
    const address = ipaddr.process(hostname);
    return address.range() !== 'linkLocal' && address.toString() !== 'fd00:ec2::254';
  },
};

/** What HAProxy can dial and verify, besides what a URL must be anyway. */
export const DIALLED_BY_HAPROXY: readonly Form[] = [
  {
    rule: 'a URL without # (write %23 where it belongs to the key)',
    range: 'no `#`',
    test: (value) => !value.includes('#'),
  },
  {
    rule: 'a URL whose host is a plain name or an IP address',
    range: 'plain host name',
    test: (value) => {
      const hostname = parseUrl(value)?.hostname ?? '';
      return /^[a-z0-9._-]+$/.test(hostname) || /^\[[0-9a-f:.]+\]$/.test(hostname);
    },
  },
  {
    // HAProxy compares names, never the addresses in a certificate; unverified is no way out.
    rule: 'a URL with a host name where TLS is spoken, because HAProxy cannot verify the certificate of an address',
    range: 'no IP address with TLS',
    test: (value) => {
      const url = parseUrl(value);
      if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'wss:')) return true;
      return isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0;
    },
  },
];

/** HAProxy refuses longer paths of sockets: the system takes 107 bytes, and it needs some for a temporary name. */
const MAX_SOCKET_PATH = 90;

export const absolutePath: Form = {
  rule: 'the absolute path of a file',
  range: 'absolute path',
  test: (value) => /^\/[\x20-\x7e]*[^/\s]$/.test(value),
};

export const adminSocket: Form = {
  rule: `a loopback address and port such as 127.0.0.1:9999, or the absolute path of a unix socket (letters, digits, ., -, _; at most ${MAX_SOCKET_PATH} characters)`,
  range: 'loopback `address:port`, or absolute path',
  test: (value) => {
    if (value.startsWith('/')) return /^\/[\w./-]*[\w.-]$/.test(value) && value.length <= MAX_SOCKET_PATH;
    const address = parseAddressPort(value);
    return address?.port !== undefined && ipaddr.process(address.ip).range() === 'loopback';
  },
};

export const nameserver: Form = {
  rule: 'an IP address, with or without a port ([address]:port for IPv6)',
  range: 'IP address, or `address:port`',
  test: (value) => parseAddressPort(value) !== undefined,
};

/** `192.0.2.1`, `192.0.2.1:53`, `2001:db8::1`, `[2001:db8::1]:53`; undefined for anything else. */
export function parseAddressPort(
  value: string,
): { readonly ip: string; readonly port: number | undefined } | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(value) ?? [];
  const ip = bracketed ?? plain ?? value;
  const port = digits === undefined ? undefined : Number(digits);
  if (isIP(ip) === 0 || ip.includes('%') || (bracketed !== undefined && isIP(bracketed) !== 6)) return undefined;
  return port === undefined || (port >= 1 && port <= 65_535) ? { ip, port } : undefined;
}

function urlForm(schemes: readonly string[]): Form {
  return {
    rule: `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    range: `${schemes.join(' or ')} URL`,
    test: (value) => hasScheme(value, schemes) && !/\s/.test(value) && parseUrl(value) !== undefined,
  };
}

/** With its slashes: the URL parser would read `https:secret` as a host called secret. */
function hasScheme(value: string, schemes: readonly string[]): boolean {
  return schemes.some((scheme) => value.toLowerCase().startsWith(`${scheme}://`));
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function parseUrl(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined;
}
