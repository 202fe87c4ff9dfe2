import { lookup } from 'node:dns/promises';
import type { Server } from 'node:http';
import { createServer, type ListenOptions, type Server as NetServer } from 'node:net';

export interface Listening {
  readonly port: number;
  /** Where it listens besides. */
  readonly also: NetServer[];
}

/**
 * Listens, at `localhost` on all of its addresses: which of them a client means by it nobody knows.
 *
 * @param port 0 lets the system pick one
 */
export async function listen(server: Server, host: string, port: number): Promise<Listening> {
  await start(server, { host, port });
  const address = server.address();
  if (typeof address !== 'object' || address === null) return { port, also: [] };
  const also: NetServer[] = [];
  for (const other of host === 'localhost' ? await lookup(host, { all: true }) : []) {
    if (other.address === address.address) continue;
    // As Node's HTTP server takes connections itself.
    const second = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.emit('connection', socket));
    // It may be taken, or IPv6 switched off: one address is enough.
    const begun = await start(second, { host: other.address, port: address.port }).then(
      () => true,
      () => false,
    );
    if (begun) also.push(second);
  }
  return { port: address.port, also };
}

function start(server: NetServer, at: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
