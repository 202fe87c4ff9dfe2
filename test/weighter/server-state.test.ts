import { isRestart, parseInfo, parseServersState, parseView } from '../../runtime/weighter/server-state';
import { discoveredTargets } from '../../runtime/weighter/targets';

const HEAD =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port';
const row = (backend: string, server: string, address: string, port: number, weight = 10): string =>
  `3 ${backend} 1 ${server} ${address} 2 0 ${weight} 100 1 1 0 2 0 0 0 0 - ${port} - 0 0 - - 0`;
const INFO = 'Name: HAProxy\nVersion: 2.6.12-1+deb12u3\nPid: 8477\nUptime: 0d 0h00m01s\nUptime_sec: 1';

it('reads what HAProxy 2.6 tells', () => {
  expect(parseServersState(`1\n${HEAD}\n${row('rpc-backend', 'a', '127.0.0.1', 8001)}`)).toEqual([
    {
      backend: 'rpc-backend',
      server: 'a',
      address: '127.0.0.1',
      port: 8001,
      weight: 10,
      initialWeight: 100,
      isAway: false,
      isDown: false,
    },
  ]);
  expect(parseInfo(INFO)).toEqual({ pid: 8477, uptimeSeconds: 1, version: '2.6.12-1+deb12u3' });
});

it('finds columns by their names, wherever they are', () => {
  const [one] = parseServersState(
    '1\n# new srv_iweight srv_uweight srv_port srv_addr srv_name be_name srv_admin_state srv_op_state\nx 1 2 3 ::1 s b 9 2',
  );
  expect(one).toEqual({
    backend: 'b',
    server: 's',
    address: '::1',
    port: 3,
    weight: 2,
    initialWeight: 1,
    isAway: true,
    isDown: false,
  });
});

it.each([
  ['an empty answer', '', INFO],
  ['another version', `2\n${HEAD}`, INFO],
  ['a row cut short', `1\n${HEAD}\n3 rpc-backend 1 a 127.0.0.1 2 0`, INFO],
  ['a weight that is none', `1\n${HEAD}\n${row('b', 's', '127.0.0.1', 1, NaN)}`, INFO],
  ['a refusal', 'Permission denied', INFO],
  ['no process', `1\n${HEAD}`, 'Name: HAProxy'],
])('refuses %s', (_, state, info) => {
  expect(() => parseView([info, state])).toThrow(expect.objectContaining({ code: 'BAD_ANSWER' }) as Error);
});

it('notices a new process, also under the old pid', () => {
  const before = { pid: 8, uptimeSeconds: 60, version: '' };
  expect(isRestart(before, { ...before, uptimeSeconds: 61 })).toBe(false);
  expect(isRestart(before, { ...before, pid: 9, uptimeSeconds: 61 })).toBe(true);
  expect(isRestart(before, { ...before, uptimeSeconds: 2 })).toBe(true);
});

it('discovers the servers of pools, at their own ports', () => {
  const rows = [
    row('rpc-backend', 'a', '127.0.0.1', 8001),
    row('rpc-backend-base', 'b', '::1', 8002),
    row('rpc-backends', 'c', '127.0.0.1', 8003),
    row('a-backend', 'a', '192.0.2.1', 443),
    row('rpc-backend', 'unresolved', '-', 0),
    row('rpc-backend', 'socket', '-', 0),
  ];
  expect(discoveredTargets(parseServersState(`1\n${HEAD}\n${rows.join('\n')}`))).toEqual([
    { backend: 'rpc-backend', server: 'a', url: 'http://127.0.0.1:8001/' },
    { backend: 'rpc-backend-base', server: 'b', url: 'http://[::1]:8002/' },
  ]);
});
