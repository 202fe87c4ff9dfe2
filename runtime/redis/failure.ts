/**
 * Why Redis did not do what it was asked:
 * `NONE` none is configured; `DOWN` it is known not to answer, nothing was sent; `PAUSED` it missed this stage's deadline a
 * moment ago, nothing was sent; `TIMEOUT` it did not answer in time and may have done it all the same; `LOST` the connection
 * ended, or could not be made; `AUTH` it refuses the user, the password or the command; `TLS` no trusted TLS could be
 * agreed on; `READONLY` it is a replica; `FULL` it is out of memory (`maxmemory`); `DISK` it takes no writes because it cannot
 * save them; `LOADING` it is starting; `DATABASE` it has no database of this number; `CLUSTER` it runs in cluster mode,
 * which is not supported; `REFUSED` any other error of its.
 */
export type RedisFailureCode = keyof typeof MESSAGES;

/** The message never holds an address, a user, a password, a key or a value. */
export class RedisFailure extends Error {
  override readonly name = 'RedisFailure';

  constructor(
    readonly code: RedisFailureCode,
    message: string = MESSAGES[code],
  ) {
    super(message);
  }
}

const MESSAGES = {
  NONE: 'no Redis is configured',
  DOWN: 'Redis does not answer',
  PAUSED: 'Redis was too slow a moment ago',
  TIMEOUT: 'Redis did not answer in time',
  LOST: 'the connection to Redis ended, or could not be made',
  AUTH: 'Redis refuses the user, the password, or a command of this user',
  TLS: 'no trusted TLS with Redis: its certificate is not trusted',
  READONLY: 'this Redis is a replica and takes no writes',
  FULL: 'Redis has no memory left (maxmemory, noeviction)',
  DISK: 'Redis takes no writes, because it cannot save them to its disk',
  LOADING: 'Redis is starting or busy',
  DATABASE: 'Redis has no database of the number in redis.url',
  CLUSTER: 'Redis runs in cluster mode, which is not supported: give the address of one without',
  REFUSED: 'Redis refused a command',
};

/** Error replies begin with a word (RESP, "Simple errors"). */
const REPLIES: readonly (readonly [RegExp, RedisFailureCode])[] = [
  [/^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR invalid (username|password)|ERR Client sent AUTH)/, 'AUTH'],
  [/^ERR .*(can't run this command|ACL failure in script)/s, 'AUTH'],
  [/^READONLY/, 'READONLY'],
  [/^OOM/, 'FULL'],
  [/^MISCONF/, 'DISK'],
  [/^(LOADING|BUSY|MASTERDOWN)/, 'LOADING'],
  [/^ERR (DB index is out of range|invalid DB index)/, 'DATABASE'],
  [/^(MOVED|ASK|CLUSTERDOWN|CROSSSLOT)/, 'CLUSTER'],
];

/** Before Redis 7 an error that a script meets is told behind where it met it. */
const IN_SCRIPT = /^ERR Error running script .*? -(?=[A-Z]+ )/s;

/** Of the client library's errors, which quote commands with their arguments, only this much is kept. */
export function toRedisFailure(error: unknown): RedisFailure {
  if (error instanceof RedisFailure) return error;
  const { name = '', message = '', code = '' } = error as Partial<Error> & { code?: string };
  if (name === 'ReplyError') {
    const reply = message.replace(IN_SCRIPT, '');
    return new RedisFailure(REPLIES.find(([words]) => words.test(reply))?.[1] ?? 'REFUSED');
  }
  const text = `${code} ${message}`;
  return new RedisFailure(/CERT|SELF_SIGNED|ERR_TLS|UNABLE_TO|SSL|EPROTO/i.test(text) ? 'TLS' : 'LOST');
}
