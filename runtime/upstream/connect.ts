import { BlockList, connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { buildConnector } from 'undici';
import { NodeError } from './errors';

export interface ConnectOptions {
  readonly node: string;
  /** For the TCP handshake, in milliseconds; TLS gets four times as much again. */
  readonly timeoutMs: number;
}

/** TLS takes two more round trips and a signature; a distant provider needs more for it than for the handshake. */
const TLS_FACTOR = 4;

/**
 * Opens connections to one node for undici: exact time-outs (undici's own are half a second coarse), verified TLS
 * with session resumption, and no way to a cloud's metadata service, whatever the name resolved to.
 */
export function createConnector({ node, timeoutMs }: ConnectOptions): buildConnector.connector {
  let session: Buffer | undefined;
  return ({ hostname, protocol, port, servername }, callback) => {
    const secure = protocol === 'https:';
    const host = hostname.replace(/^\[|\]$/g, '');
    const address = { host, port: Number(port) || (secure ? 443 : 80), noDelay: true, keepAlive: true };
    const socket: Socket = secure
      ? connectTls({
          ...address,
          ALPNProtocols: ['http/1.1'],
          ...(isIP(host) === 0 && { servername: servername ?? host }),
          ...(session && { session }),
        }).on('session', (ticket) => (session = ticket))
      : connectTcp(address);
    let phase = 'connection';
    let done = false;
    const finish = (error: NodeError | undefined): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      if (error) {
        socket.destroy();
        callback(error, null);
      } else {
        callback(null, socket);
      }
    };
    const expire = (): void =>
      finish(new NodeError('CONNECT_TIMEOUT', `${node} completed no ${phase} within ${timeoutMs} ms`));
    let timer = setTimeout(expire, timeoutMs);
    socket.once('connect', () => {
      if (isMetadataAddress(socket.remoteAddress ?? '')) {
        finish(new NodeError('FORBIDDEN_ADDRESS', `${node} resolves to a link-local metadata address`));
      } else if (secure) {
        phase = 'TLS handshake';
        clearTimeout(timer);
        timer = setTimeout(expire, timeoutMs * TLS_FACTOR);
      } else {
        finish(undefined);
      }
    });
    socket.once('secureConnect', () => finish(undefined));
    socket.on('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code ?? 'unknown';
      finish(
        phase === 'connection'
          ? new NodeError('CONNECT_FAILED', `${node} refused the connection (${reason})`, { cause })
          : new NodeError('TLS_FAILED', `${node} failed the TLS handshake (${reason})`, { cause }),
      );
    });
    socket.once('close', () => finish(new NodeError('CONNECT_FAILED', `${node} closed the connection at once`)));
  };
}

const metadata = new BlockList();
metadata.addSubnet('169.254.0.0', 16, 'ipv4');
metadata.addSubnet('fe80::', 10, 'ipv6');
metadata.addAddress('fd00:ec2::254', 'ipv6');

function isMetadataAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && metadata.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
