/** What programs have in common around their work: how they end, and who may end them. */

/** Ends the process with a message for people. */
export function fail(code: number, message: string): never {
  process.stderr.write(`${message.trimEnd()}\n`);
  process.exit(code);
}

/**
 * Calls `stop` at the first SIGTERM or SIGINT; the second ends the process where it stands, with 1. A program that was
 * started by another stops when that is gone, as nobody is left to stop it.
 */
export function onStopSignal(stop: () => void): void {
  let stopping = false;
  const signalled = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    stop();
  };
  process.on('SIGTERM', signalled);
  process.on('SIGINT', signalled);
  if (process.send) process.once('disconnect', signalled);
}

/** A signal that is aborted where {@link onStopSignal} would call. */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  onStopSignal(() => stopping.abort());
  return stopping.signal;
}

/** Why a server cannot listen, as the end of a sentence that names the place; undefined for other errors. */
export function listenProblem(error: unknown): string | undefined {
  const { code = '' } = error as NodeJS.ErrnoException;
  return LISTEN_PROBLEMS[code];
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken',
  EACCES: 'may not be used',
  EADDRNOTAVAIL: 'is no address here',
};
