import fastify, { type FastifyInstance } from 'fastify';
import type { Status } from './status';

export interface AdminOptions {
  readonly isReady: () => boolean;
  readonly status: () => Status;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Health, metrics and status, on a port of their own that clients do not reach. */
export class AdminServer {
  private readonly app: FastifyInstance = fastify({ logger: false, forceCloseConnections: true });

  constructor({ isReady, status, metrics }: AdminOptions) {
    const { app } = this;
    app.get('/livez', (_request, reply) => reply.type('text/plain').send('alive\n'));
    app.get('/readyz', (_request, reply) => {
      const ready = isReady();
      return reply
        .code(ready ? 200 : 503)
        .type('text/plain')
        .send(ready ? 'ready\n' : 'not ready\n');
    });
    app.get('/metrics', async (_request, reply) => {
      const { contentType, text } = await metrics();
      return reply.type(contentType).send(text);
    });
    app.get('/status.json', (_request, reply) =>
      reply
        .type('application/json')
        .header('cache-control', 'no-store')
        .send(JSON.stringify(status(), undefined, 2)),
    );
  }

  /** @returns the port, which the system chose where 0 was asked for. */
  async listen(host: string, port: number): Promise<number> {
    await this.app.listen({ host, port });
    const address = this.app.server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  async close(): Promise<void> {
    await this.app.close();
  }
}
