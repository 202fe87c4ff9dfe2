import { RedisFailure, toRedisFailure } from '../../runtime/redis/failure';

const AT = 'ERR Error running script (call to f_1a2b): @user_script:4: @user_script: 4: ';

it.each([
  ['WRONGPASS invalid username-password pair or user is disabled.', 'AUTH'],
  ["NOPERM this user has no permissions to run the 'keys' command", 'AUTH'],
  ["READONLY You can't write against a read only replica.", 'READONLY'],
  [`${AT}-READONLY You can't write against a read only replica.`, 'READONLY'],
  ["OOM command not allowed when used memory > 'maxmemory'. script: 1a2b, on @user_script:4.", 'FULL'],
  [`${AT}-OOM command not allowed when used memory > 'maxmemory'.`, 'FULL'],
  ["ERR The user executing the script can't run this command or subcommand script: 1a2b, on @user_script:2.", 'AUTH'],
  ['MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.', 'DISK'],
  ['ERR DB index is out of range', 'DATABASE'],
  ['LOADING Redis is loading the dataset in memory', 'LOADING'],
  ['MOVED 3999 127.0.0.1:6381', 'CLUSTER'],
  ['ERR unknown command', 'REFUSED'],
  [`${AT}attempt to index a nil value`, 'REFUSED'],
])('the reply %p is %s', (message, code) => {
  const failure = toRedisFailure(Object.assign(new Error(message), { name: 'ReplyError' }));
  expect(failure.code).toBe(code);
  expect(failure.message).not.toContain(message);
});

it.each([
  [{ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:6379' }, 'LOST'],
  [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT', message: 'self-signed certificate' }, 'TLS'],
  [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID', message: "Hostname/IP does not match certificate's altnames" }, 'TLS'],
  [{ code: '', message: 'Connection is closed.' }, 'LOST'],
])('the error %p is %s', ({ code, message }, expected) => {
  expect(toRedisFailure(Object.assign(new Error(message), { code }))).toMatchObject({ code: expected });
});

it('stays what it is', () => {
  const failure = new RedisFailure('TIMEOUT');
  expect(toRedisFailure(failure)).toBe(failure);
});
