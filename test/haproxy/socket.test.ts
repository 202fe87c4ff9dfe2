import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refusalOf, splitAnswers } from '../../runtime/haproxy/answers';
import { HaproxySocket } from '../../runtime/haproxy/socket';
import { formatSocketAddress, parseSocketAddress } from '../../runtime/haproxy/socket-address';
import { freePorts, HaproxyProcess } from '../support/haproxy-process';
import { prompted, ScriptedAdminSocket } from '../support/scripted-admin-socket';

describe('with a real HAProxy', () => {
  const folder = mkdtempSync(join(tmpdir(), 'admin-socket-'));
  const path = join(folder, 'admin.sock');
  let haproxy: HaproxyProcess;
  let socket: HaproxySocket;
  let port: number;

  beforeAll(async () => {
    const [front, admin, low] = await freePorts(3);
    port = admin;
    haproxy = await HaproxyProcess.start(`global
    stats socket ipv4@127.0.0.1:${admin} level admin
    stats socket unix@${path} level admin mode 660
    stats socket ipv4@127.0.0.1:${low} level user
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend http
    bind 127.0.0.1:${front}
    default_backend rpc-backend
backend rpc-backend
    server a 127.0.0.1:1 weight 100
    server b 127.0.0.1:2 weight 100
backend sticky
    balance source
    server a 127.0.0.1:1 weight 100
`);
    socket = new HaproxySocket({ address: { host: '127.0.0.1', port: admin }, timeoutMs: 5000 });
    lowPort = low;
  });
  let lowPort: number;

  afterAll(async () => {
    await haproxy.stop();
    rmSync(folder, { recursive: true });
  });

  it('gives one answer for each command, successes and refusals apart', async () => {
    const commands = [
      'set weight rpc-backend/a 10',
      'set weight rpc-backend/none 1',
      'set weight rpc-backend/b 20',
      'set weight nobody/a 1',
      // Its text has no line feed of its own, which leaves no empty line where no prompt was asked for.
      'set weight rpc-backend/a NaN',
      'get weight rpc-backend/a',
      'set weight sticky/a 50',
      'set wait rpc-backend/a 1',
      'get weight rpc-backend/b',
    ];
    const answers = await socket.ask(commands);
    expect(answers).toHaveLength(commands.length);
    expect(answers[0]).toBe('');
    expect(answers[2]).toBe('');
    expect(answers[5]).toBe('10 (initial 100)');
    expect(answers[8]).toBe('20 (initial 100)');
    const codes = answers.map((answer, index) => refusalOf(commands[index] ?? '', answer)?.code);
    expect(codes.slice(0, 5)).toEqual([undefined, 'NO_SUCH_SERVER', undefined, 'NO_SUCH_BACKEND', 'COMMAND_REFUSED']);
    expect(codes.slice(6, 8)).toEqual(['STATIC_WEIGHTS', 'UNKNOWN_COMMAND']);
  });

  it('gives whole answers of many lines', async () => {
    const [info = '', state = '', weight] = await socket.ask([
      'show info',
      'show servers state',
      'get weight sticky/a',
    ]);
    expect(info).toMatch(/^Name: HAProxy\n(.*\n)*Pid: \d+\n/);
    expect(state).toMatch(/^1\n# be_id .*\n(\d+ rpc-backend .*\n){2}\d+ sticky .*$/);
    expect(weight).toBe('100 (initial 100)');
  });

  it('speaks over a unix socket and with the master', async () => {
    const unix = new HaproxySocket({ address: { path }, timeoutMs: 5000 });
    expect(await unix.ask(['set weight rpc-backend/a 33', 'get weight rpc-backend/a'])).toEqual([
      '',
      '33 (initial 100)',
    ]);
    const master = new HaproxySocket({ address: { path: haproxy.masterSocket }, timeoutMs: 5000 });
    const [processes, unknown = '', worker] = await master.ask(['show proc', 'set weight a/b 1', '@1 show info']);
    expect(processes).toMatch(/worker +0/);
    expect(refusalOf('set weight', unknown)?.code).toBe('UNKNOWN_COMMAND');
    expect(worker).toContain(`Pid: ${await haproxy.workerPid()}`);
  });

  it('is told when the level of the socket is too low', async () => {
    const low = new HaproxySocket({ address: { host: '127.0.0.1', port: lowPort }, timeoutMs: 5000 });
    const [answer = ''] = await low.ask(['set weight rpc-backend/a 1']);
    expect(refusalOf('set weight', answer)?.code).toBe('PERMISSION_DENIED');
  });

  it('asks a thousand commands, more than fit on a line', async () => {
    const commands = Array.from({ length: 1000 }, (_, index) => `set weight rpc-backend/a ${index % 256}`);
    const answers = await socket.ask([...commands, 'get weight rpc-backend/a']);
    expect(answers).toEqual([...commands.map(() => ''), `${999 % 256} (initial 100)`]);
  });

  it('knows the guide’s address', async () => {
    const guide = new HaproxySocket({ address: parseSocketAddress(`127.0.0.1:${port}`), timeoutMs: 5000 });
    expect(await guide.ask(['get weight rpc-backend/b'])).toEqual(['20 (initial 100)']);
  });
});

describe('with a socket that fails', () => {
  let scripted: ScriptedAdminSocket;

  afterEach(() => scripted.close());

  async function codeOf(
    script: Parameters<typeof ScriptedAdminSocket.start>[0],
    commands = ['show info', 'show servers state'],
    signal?: AbortSignal,
  ): Promise<unknown> {
    scripted = await ScriptedAdminSocket.start(script);
    const socket = new HaproxySocket({ address: scripted.address, timeoutMs: 300 });
    return socket.ask(commands, signal).catch((error: unknown) => error);
  }

  it('sends all commands on one line', async () => {
    expect(await codeOf(() => prompted('one', ''), ['a', 'b'])).toEqual(['one', '']);
    expect(scripted.lines).toEqual(['prompt;a;b']);
  });

  it('reads an answer that comes in pieces', async () => {
    const pieces = Array.from(prompted('No such server.', '1\n# > head\nrow'));
    const answers = await codeOf((_, socket) => {
      const timer = setInterval(() => {
        const next = pieces.shift();
        if (next === undefined) clearInterval(timer);
        else socket.write(next);
      }, 1);
      return undefined;
    });
    expect(answers).toEqual(['No such server.', '1\n# > head\nrow']);
  });

  it.each<[string, string, Parameters<typeof ScriptedAdminSocket.start>[0]]>([
    ['hangs', 'TIMEOUT', () => undefined],
    ['hangs after half of it', 'TIMEOUT', () => prompted('one')],
    [
      'ends after half of it',
      'HALF_ANSWER',
      (_, socket) => {
        socket.end(prompted('one'));
        return undefined;
      },
    ],
    [
      'ends in the middle of the last one',
      'HALF_ANSWER',
      (_, socket) => {
        socket.end(`${prompted('one')}1\n# be_id`);
        return undefined;
      },
    ],
    [
      'ends without a word',
      'HALF_ANSWER',
      (_, socket) => {
        socket.end();
        return undefined;
      },
    ],
    [
      'resets in the middle',
      'HALF_ANSWER',
      (_, socket) => {
        socket.write(prompted('one'), () => setTimeout(() => socket.resetAndDestroy(), 50));
        return undefined;
      },
    ],
    [
      'is a web server',
      'BAD_ANSWER',
      (_, socket) => {
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
        return undefined;
      },
    ],
    ['answers too often', 'BAD_ANSWER', () => prompted('one', 'two', 'three')],
  ])('that %s: %s', async (_, code, script) => {
    expect(await codeOf(script)).toMatchObject({ name: 'HaproxySocketError', code });
  });

  it('that never stops talking', async () => {
    const flood = await codeOf((_, socket) => {
      const piece = 'a'.repeat(2 ** 20);
      const more = (): void => {
        if (!socket.destroyed) socket.write(piece, more);
      };
      more();
      return undefined;
    });
    expect(flood).toMatchObject({ code: expect.stringMatching(/^(BAD_ANSWER|TIMEOUT)$/) as string });
  });

  it('whose answer nobody waits for any more', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 20);
    expect(await codeOf(() => undefined, ['a'], stop.signal)).toMatchObject({ code: 'ABORTED' });
    const socket = new HaproxySocket({ address: scripted.address, timeoutMs: 300 });
    await expect(socket.ask(['a'], stop.signal)).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('that nobody listens on', async () => {
    scripted = await ScriptedAdminSocket.start(() => undefined);
    const { address } = scripted;
    await scripted.close();
    const gone = new HaproxySocket({ address, timeoutMs: 1000 });
    await expect(gone.ask(['show info'])).rejects.toMatchObject({ code: 'REFUSED' });
    const missing = new HaproxySocket({ address: { path: '/nowhere/admin.sock' }, timeoutMs: 1000 });
    await expect(missing.ask(['show info'])).rejects.toMatchObject({
      code: 'REFUSED',
      message: 'HAProxy at /nowhere/admin.sock cannot be reached: ENOENT',
    });
    scripted = await ScriptedAdminSocket.start(() => undefined);
  });

  it.each(['a;b', 'a\nb', 'a\rb', 'set ssl cert x <<', '', 'ü'])('is never sent the command %j', async (command) => {
    expect(await codeOf(() => prompted(''), ['show info', command])).toMatchObject({ code: 'BAD_COMMAND' });
    expect(scripted.lines).toEqual([]);
  });
});

it('sends no command that fits on no line', async () => {
  const socket = new HaproxySocket({ address: { host: '127.0.0.1', port: 1 }, timeoutMs: 300 });
  await expect(socket.ask(['a'.repeat(10_000)])).rejects.toMatchObject({ code: 'BAD_COMMAND' });
});

describe('answers', () => {
  it('are split at prompts only', () => {
    expect(splitAnswers('\n> a > b\n\n> \n> half')).toEqual({ answers: ['', 'a > b', ''], rest: 'half' });
    expect(splitAnswers('master> x\n\nmaster> ')).toEqual({ answers: ['', 'x'], rest: '' });
  });

  it('draw nothing in a log', () => {
    expect(refusalOf('set weight a/b 1', 'bad \u001b[31m news\nmore')?.message).toBe(
      'set weight a/b 1: bad ?[31m news',
    );
  });
});

describe('an address', () => {
  it.each([
    ['127.0.0.1:9999', { host: '127.0.0.1', port: 9999 }],
    ['[::1]:9999', { host: '::1', port: 9999 }],
    ['/run/haproxy/admin.sock', { path: '/run/haproxy/admin.sock' }],
  ])('%s is read and written', (text, address) => {
    expect(parseSocketAddress(text)).toEqual(address);
    expect(formatSocketAddress(address)).toBe(text);
  });

  it.each(['', 'localhost', '127.0.0.1:0', '127.0.0.1:65536', '::1:99', 'a:b:1'])('%j is none', (text) => {
    expect(() => parseSocketAddress(text)).toThrow(TypeError);
  });
});
