import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const HOST = '127.0.0.1';
/** Where a program is reached that listens on all addresses. */
const DIALLED: Readonly<Record<string, string>> = { '0.0.0.0': HOST, '::': '::1' };

/** @throws Error that names the option, where somebody else listens on the port already. */
export async function assertFree(port: number, option: string): Promise<void> {
  if (port === 0) return;
  try {
    await close(await listen(port));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${code})`;
    throw new Error(`Port ${port} ${why}; choose another with ${option} PORT.`, { cause: error });
  }
}

/** Whether nobody listens on the port. */
export async function isFree(port: number, host = HOST): Promise<boolean> {
  return listen(port, host).then(
    (server) => close(server).then(() => true),
    () => false,
  );
}

/** Ports that nobody listens on, for programs that cannot pick their own. All different, as all are held until the last is known. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return ports;
}

/** @returns whether somebody listens before the time is over */
export async function untilListening(host: string, port: number, timeoutMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + timeoutMs;
  while (performance.now() < giveUpAt) {
    if (await isOpen(host, port)) return true;
    await sleep(20);
  }
  return false;
}

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, DIALLED[host] ?? host);
    const end = (open: boolean) => (): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', end(true)).once('error', end(false));
  });
}

function listen(port: number, host = HOST): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, host, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
