import type { Address } from './model';

/** One section of haproxy.cfg. */
export interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

/** The one section of name servers. */
export const RESOLVERS = 'dns';

/** An IP address in brackets where it needs them, or a name that the system knows. */
export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export const IS_WEB_SOCKET = '{ hdr(upgrade) -i websocket }';
