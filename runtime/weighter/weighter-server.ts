import { createServer, type RequestListener, type ServerResponse } from 'node:http';

export interface WeighterServerOptions {
  readonly isReady: () => boolean;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Health and metrics of the weighter, on a port that clients do not reach. */
export class WeighterServer {
  private readonly server;

  constructor({ isReady, metrics }: WeighterServerOptions) {
    const answer: RequestListener = (request, response) => {
      const path = request.url?.split('?', 1)[0];
      if (request.method !== 'GET' && request.method !== 'HEAD') send(response, 405, 'GET only\n');
      else if (path === '/livez') send(response, 200, 'alive\n');
      else if (path === '/readyz') send(response, isReady() ? 200 : 503, isReady() ? 'ready\n' : 'not ready\n');
      else if (path !== '/metrics') send(response, 404, 'there is /livez, /readyz and /metrics\n');
      else {
        void metrics().then(
          ({ text, contentType }) => send(response, 200, text, contentType),
          () => send(response, 500, 'no metrics\n'),
        );
      }
    };
    this.server = createServer(
      { requestTimeout: 10_000, headersTimeout: 10_000, connectionsCheckingInterval: 1000 },
      answer,
    );
    this.server.maxConnections = 100;
  }

  /** @returns the port, which the system chose where 0 was asked for */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject).listen({ host, port }, () => {
        this.server.off('error', reject);
        const address = this.server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

function send(response: ServerResponse, status: number, body: string, type = 'text/plain'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}
