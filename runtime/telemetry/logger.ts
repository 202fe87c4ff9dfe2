import { type Logger, pino } from 'pino';

export type { Logger };
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/**
 * One JSON line an event, to standard output. Errors keep their name, code and stack, but never a URL beyond its
 * host: paths, queries and userinfo of providers hold keys.
 */
export function createLogger(level: LogLevel): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError },
  };
  // Written at once: a destination that buffers tries for ever to flush at exit when its reader has died.
  return pino(options, pino.destination({ dest: 1, sync: true }));
}

/** Cuts every URL in a text down to scheme and host. */
export function maskUrls(text: string): string {
  return text.replace(/\b(https?|wss?):\/\/(?:[^\s/@"']*@)?([^\s/"'?#]+)[^\s"']*/gi, '$1://$2/…');
}

function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: maskUrls(String(error)) };
  const { name, message, stack } = error;
  const code = 'code' in error ? error.code : undefined;
  return {
    name,
    ...(code !== undefined && { code }),
    message: maskUrls(message),
    ...(stack !== undefined && { stack: maskUrls(stack) }),
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
  };
}
