import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Certificate } from '../upstream/certificate';

/**
 * A provider that speaks TLS and answers everything with one result. It keeps what it could read: of a client that
 * does not trust it, that must be nothing.
 */
export class TlsNode {
  /** All bytes that came out of the encryption, one character a byte. */
  read = '';
  readonly paths: string[] = [];
  /** What clients called it, by SNI. */
  readonly names: (string | false)[] = [];
  /** Connections that ended before the handshake did. */
  refused = 0;

  private constructor(private readonly server: Server) {
    server.on('tlsClientError', () => (this.refused += 1));
    server.on('secureConnection', (socket: TLSSocket) => {
      this.names.push(socket.servername ?? false);
      socket.on('data', (bytes: Buffer) => (this.read += bytes.toString('latin1')));
      socket.on('error', () => undefined);
    });
    server.on('request', (request, response) => {
      this.paths.push(request.url ?? '');
      request.resume();
      response.setHeader('content-type', 'application/json');
      response.end('{"jsonrpc":"2.0","id":1,"result":"0x539"}');
    });
  }

  static async start({ key, cert }: Certificate): Promise<TlsNode> {
    const server = createServer({ key, cert });
    const node = new TlsNode(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return node;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    if (this.server.listening) await once(this.server, 'close');
  }
}
