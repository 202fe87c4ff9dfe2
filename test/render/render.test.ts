import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { loadHaproxyConfig } from '../../runtime/config/load-haproxy';
import { renderHaproxy } from '../../runtime/haproxy/render';
import { HaproxySocketError } from '../../runtime/haproxy/socket-error';
import { CfgFile } from '../../runtime/render/cfg-file';
import { Master, parseProcesses } from '../../runtime/render/master';
import { settle } from '../../runtime/render/settle';
import { reasonsOf } from '../../runtime/render/startup-log';

/** As HAProxy 2.6 and 3.0 answer. */
function processes(reloads: number, failed: number, worker: number, old = ''): string {
  return `#<PID>          <type>          <reloads>       <uptime>        <version>
15666           master          ${reloads} [failed: ${failed}]   0d00h00m33s     2.6.12-1+deb12u3
# workers
${worker}           worker          ${failed}               0d00h00m05s     2.6.12-1+deb12u3
${old}# programs

`;
}

describe('the answer to show proc', () => {
  it('tells the worker, and not an old one', () => {
    const old = '# old workers\n16000           worker          2               0d00h01m00s     2.6.12-1+deb12u3\n';
    expect(parseProcesses(processes(3, 1, 16028, old))).toEqual({ reloads: 3, lastFailed: true, worker: 16028 });
    expect(parseProcesses(processes(2, 0, 16028, old))).toEqual({ reloads: 2, lastFailed: false, worker: 16028 });
  });

  it.each(['', 'Unknown command', '# workers\n', processes(0, 0, 1).replace(/^1 +worker.*\n/m, '')])(
    '%j is none',
    (text) => {
      expect(() => parseProcesses(text)).toThrow(HaproxySocketError);
    },
  );
});

describe('why HAProxy could not load', () => {
  const config = (path: string) =>
    loadHaproxyConfig(
      JSON.stringify({
        chains: {
          main: {
            chainId: 1,
            nodes: [{ name: 'a', localPort: 8001, provider: { url: `https://eth.example/${path}` } }],
          },
        },
      }),
      { env: {} },
    );

  it('is in its alerts', () => {
    const log = `[NOTICE]   (24280) : haproxy version is 3.0.11
[ALERT]    (24280) : config : parsing [/t/haproxy.cfg:16] : 'server a' : unable to load /etc/ca.pem, no such file
[ALERT]    (24280) : config : Error(s) found in configuration file : /t/haproxy.cfg
[ALERT]    (24280) : config : Fatal errors found in configuration.
[WARNING]  (24280) : Loading failure!
`;
    expect(reasonsOf(log, renderHaproxy(config('v2/key')))).toEqual([
      "config : parsing [/t/haproxy.cfg:16] : 'server a' : unable to load /etc/ca.pem, no such file",
    ]);
  });

  it('is told without any key it quotes, also in part', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{12,40}$/), fc.nat(8), (key, from) => {
        const text = renderHaproxy(config(`v2/${key}?x=${key}`));
        const quoted = [key, key.slice(from), `v2/${key}`, `/v2/${key}?x=${key}`].join(`', '`);
        const [reason = ''] = reasonsOf(`[ALERT] (1) : config : parsing [x:1] : error near '${quoted}'`, text);
        expect(reason).toMatch(/^config : parsing \[x:1\] : error near '/);
        expect(reason).not.toContain(key.slice(from, from + 4));
      }),
    );
  });
});

describe('the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cfg-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  let time = 0;
  const fileAt = (name: string): CfgFile => new CfgFile(join(folder, name), () => ++time);

  it('holds any text and its revision, and is written only when the text is another', () => {
    const file = fileAt('a.cfg');
    expect(file.read()).toBeUndefined();
    for (const text of ['global\n', "'\nglobal\n    description 'rendered 1'\n", '', 'ü'.repeat(100_000)]) {
      const { cfg, changed } = file.put(text);
      expect([changed, cfg.text === text, file.read()]).toEqual([true, true, cfg]);
      expect(readFileSync(file.path, 'utf8')).toContain(`description '${cfg.revision}'`);
      expect(file.put(text)).toEqual({ cfg, before: cfg, changed: false });
    }
    expect(statSync(file.path).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder)).toEqual(['a.cfg']);
  });

  it('replaces what is not ours, and a link', () => {
    const file = fileAt('b.cfg');
    writeFileSync(join(folder, 'theirs'), 'global\n');
    symlinkSync('theirs', file.path);
    chmodSync(join(folder, 'theirs'), 0o600);
    expect(file.put('global\n')).toMatchObject({ before: undefined, changed: true });
    expect(readFileSync(join(folder, 'theirs'), 'utf8')).toBe('global\n');
  });
});

describe('HAProxy is brought to a revision', () => {
  /** A master that answers in turn; `reload` is as in 2.6, which ends the connection. */
  function masterOf(...turns: readonly (string | HaproxySocketError)[]): { master: Master; asked: string[] } {
    const asked: string[] = [];
    let turn = -1;
    const ask = (commands: readonly string[]): Promise<readonly string[]> => {
      const [command = ''] = commands;
      asked.push(command.replace(/^@!\d+ /, '@ '));
      if (command === 'reload') return Promise.reject(new HaproxySocketError('HALF_ANSWER', ''));
      if (command === 'show startup-logs') return Promise.resolve(["Unknown command: 'show startup-logs'"]);
      if (command === 'show proc') turn = Math.min(turn + 1, turns.length - 1);
      const now = turns[turn] ?? '';
      if (typeof now !== 'string') return Promise.reject(now);
      const [proc = '', revision = ''] = now.split('\n\n|');
      return Promise.resolve([command === 'show proc' ? proc : `Pid: 1\ndescription: ${revision}\nTainted: 0`]);
    };
    return { master: new Master({ ask, where: 'x' }), asked };
  }

  const state = (reloads: number, failed: number, worker: number, revision: string): string =>
    `${processes(reloads, failed, worker)}|${revision}`;
  const away = new HaproxySocketError('REFUSED', 'nobody');
  const settleWith = (master: Master, loadTimeoutMs = 300) =>
    settle(master, 'new', new AbortController().signal, { clock: () => performance.now(), loadTimeoutMs });

  it('which it runs already: nothing is done', async () => {
    const { master, asked } = masterOf(state(4, 0, 10, 'new'));
    expect(await settleWith(master)).toEqual({ kind: 'runs', worker: 10 });
    expect(asked).not.toContain('reload');
  });

  it('by one reload, however long it does not answer then', async () => {
    const { master, asked } = masterOf(
      state(0, 0, 10, 'old'),
      away,
      away,
      state(0, 0, 10, 'old'),
      state(1, 0, 11, 'new'),
    );
    expect(await settleWith(master, 5000)).toMatchObject({ kind: 'runs', worker: 11, reload: { before: 10 } });
    expect(asked.filter((command) => command === 'reload')).toHaveLength(1);
  });

  it('which it cannot load', async () => {
    const { master } = masterOf(state(3, 1, 10, 'old'), away, state(4, 2, 10, 'old'));
    expect(await settleWith(master)).toEqual({ kind: 'refused', runs: 'old', log: undefined });
  });

  it('which is in a file it does not read', async () => {
    const { master } = masterOf(state(0, 0, 10, 'other'), state(1, 0, 11, 'other'));
    expect(await settleWith(master)).toEqual({ kind: 'elsewhere', worker: 11 });
  });

  it('not while it does not answer: a reload then is lost', async () => {
    const { master, asked } = masterOf(away);
    expect(await settleWith(master)).toEqual({ kind: 'away', error: away });
    expect(asked).toEqual(['show proc']);
  });

  it('and is not back in time', async () => {
    const { master } = masterOf(state(0, 0, 10, 'old'), state(0, 0, 10, 'old'));
    expect(await settleWith(master)).toMatchObject({ kind: 'away', error: { code: 'TIMEOUT' } });
  });
});
