/** Where HAProxy listens for commands. */
export type SocketAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * `127.0.0.1:9999`, `[::1]:9999`, `haproxy:9999`, or the path of a unix socket.
 *
 * @throws TypeError for anything else
 */
export function parseSocketAddress(text: string): SocketAddress {
  if (text.startsWith('/')) return { path: text };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new TypeError(`an admin socket is host:port or an absolute path, got ${JSON.stringify(text)}`);
  }
  return { host, port };
}

export function formatSocketAddress(address: SocketAddress): string {
  if ('path' in address) return address.path;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
