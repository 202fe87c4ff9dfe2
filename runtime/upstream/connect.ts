import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { BlockList, connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { buildConnector } from 'undici';
import { NodeError } from './errors';

export interface ConnectOptions {
  readonly node: string;
  /** For the TCP handshake, in milliseconds, read for each; TLS gets four times as much again. */
  readonly timeoutMs: number;
  /** @default the system's */
  readonly lookup?: LookupFunction;
}

/** TLS takes two more round trips and a signature; a distant provider needs more for it than for the handshake. */
const TLS_FACTOR = 4;

/** As undici calls it; who destroys the socket it returns gives the attempt up, which then fails at once. */
export type Connector = (...attempt: Parameters<buildConnector.connector>) => Socket | undefined;

/**
 * Opens connections to one node, HTTP and WebSocket alike: exact time-outs (undici's own are half a second coarse),
 * verified TLS with session resumption, and no way to a cloud's metadata service, whatever the name resolved to.
 */
export function createConnector(options: ConnectOptions): Connector {
  const { node, lookup = systemLookup } = options;
  let session: Buffer | undefined;
  const checkedLookup = withoutMetadata(node, lookup);
  return ({ hostname, protocol, port, servername }, callback) => {
    const { timeoutMs } = options;
    const secure = protocol === 'https:';
    const host = hostname.replace(/^\[|\]$/g, '');
    if (isMetadataAddress(host)) {
      callback(forbidden(node), null);
      return undefined;
    }
    const address = {
      host,
      port: Number(port) || (secure ? 443 : 80),
      noDelay: true,
      keepAlive: true,
      lookup: checkedLookup,
    };
    const socket: Socket = secure
      ? connectTls({
          ...address,
          ALPNProtocols: ['http/1.1'],
          ...(isIP(host) === 0 && { servername: servername ?? host }),
          ...(session && { session }),
        }).on('session', (ticket) => (session = ticket))
      : connectTcp(address);
    let phase: 'connection' | 'TLS handshake' = 'connection';
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
    const fail = (reason: string, cause?: Error): void =>
      finish(
        phase === 'connection'
          ? new NodeError('CONNECT_FAILED', `${node} refused the connection (${reason})`, { cause })
          : new NodeError('TLS_FAILED', `${node} failed the TLS handshake (${reason})`, { cause }),
      );
    const startTimer = (ms: number): NodeJS.Timeout =>
      setTimeout(() => finish(new NodeError('CONNECT_TIMEOUT', `${node} completed no ${phase} within ${ms} ms`)), ms);
    let timer = startTimer(timeoutMs);
    socket.once('connect', () => {
      if (!secure) {
        finish(undefined);
        return;
      }
      phase = 'TLS handshake';
      clearTimeout(timer);
      timer = startTimer(timeoutMs * TLS_FACTOR);
    });
    socket.once('secureConnect', () => finish(undefined));
    socket.on('error', (cause: NodeJS.ErrnoException) => {
      if (cause instanceof NodeError) finish(cause);
      else fail(cause.code ?? 'unknown', cause);
    });
    socket.once('close', () => fail('closed at once'));
    return socket;
  };
}

/** Refuses before a packet leaves. Where a name has several addresses, one of these spoils them all. */
function withoutMetadata(node: string, lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) =>
    lookup(hostname, options, (error, address, family) => {
      const refused = error === null && addressesOf(address).some(isMetadataAddress);
      callback(refused ? forbidden(node) : error, address, family);
    });
}

function addressesOf(found: string | readonly LookupAddress[]): readonly string[] {
  return typeof found === 'string' ? [found] : found.map(({ address }) => address);
}

function forbidden(node: string): NodeError {
  return new NodeError('FORBIDDEN_ADDRESS', `${node} resolves to a link-local metadata address`);
}

const metadata = new BlockList();
metadata.addSubnet('169.254.0.0', 16, 'ipv4');
metadata.addSubnet('fe80::', 10, 'ipv6');
metadata.addAddress('fd00:ec2::254', 'ipv6');

function isMetadataAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && metadata.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
