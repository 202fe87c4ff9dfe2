import { isIP } from 'node:net';
import type { Target } from './model';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'ws:': 80, 'https:': 443, 'wss:': 443 };
const SYSTEM_CAS = '@system-ca';

/** @param url http, https, ws or wss, as the configuration takes them for a provider */
export function targetOf(url: string, caFile: string | undefined): Target {
  const { protocol, hostname, port, host, pathname, search, username, password } = new URL(url);
  const address = hostname.replace(/^\[|\]$/g, '');
  const secure = protocol === 'https:' || protocol === 'wss:';
  return {
    host: address,
    port: port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port),
    hostHeader: host,
    pathAndQuery: `${pathname}${search}`,
    authorization: username === '' && password === '' ? undefined : basic(username, password),
    resolved: isInDns(address),
    caFile: secure ? (caFile ?? SYSTEM_CAS) : undefined,
  };
}

/**
 * HAProxy's resolver reads no hosts file and knows no search domains. A name it cannot find would take the server out,
 * though the system, which is asked at start, knows it: so only full names are left to it.
 */
function isInDns(host: string): boolean {
  return isIP(host) === 0 && host.includes('.') && !/\.(localhost|local|svc)$/.test(host);
}

/** RFC 7617. */
function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${decode(username)}:${decode(password)}`).toString('base64')}`;
}

/** Percent signs that begin no escape stand for themselves. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
