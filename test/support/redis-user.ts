import { REDIS_RIGHTS } from '../../runtime/contract/redis-access';

/** All key prefixes of tests; a key outside of them is refused, as it is there. */
const PREFIXES = ['rpc-balancer:', 'test:', 'other:'];

/** How a test itself gets in where others are restricted. */
export const CONTROL_USER = { username: 'control', password: 'control' } as const;

/**
 * Arguments of redis-server for the user of ElastiCache, and for the test. The restricted one is `default`, whom
 * everybody is who gives no other name, so that tests and the configurations in them stay as they are.
 *
 * @param args of the server otherwise; a password in them becomes the restricted user's
 */
export function userArguments(args: readonly string[]): string[] {
  const at = args.indexOf('--requirepass');
  const secret = at < 0 ? 'nopass' : `>${args[at + 1] ?? ''}`;
  const keys = PREFIXES.map((prefix) => `~${prefix}*`);
  const { username, password } = CONTROL_USER;
  return [
    ...['--user', 'default', 'reset', 'on', secret, ...keys, ...REDIS_RIGHTS.split(' ')],
    ...['--user', username, 'reset', 'on', `>${password}`, '~*', '&*', '+@all'],
  ];
}
