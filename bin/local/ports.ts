import { createServer } from 'node:net';

/** @throws Error that names the option, where somebody else listens on the port already. */
export async function assertFree(port: number, option: string): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${code})`;
    throw new Error(`Port ${port} ${why}; choose another with ${option} PORT.`, { cause: error });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
