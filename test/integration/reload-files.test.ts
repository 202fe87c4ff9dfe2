import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../support/eventually';
import { ProxyProcess } from '../support/proxy-process';
import { entry, oneChain, ReloadBed } from './reload-bed';
import { selfSigned } from '../upstream/certificate';

let bed: ReloadBed;

beforeEach(() => {
  bed = new ReloadBed();
});

afterEach(() => bed.close());

describe('a configuration that is wrong', () => {
  it('is refused with all problems, told everywhere, and changes nothing', async () => {
    const [a, b] = [await bed.node('a'), await bed.node('b')];
    const good = oneChain([entry(a)]);
    await bed.start(good);
    const { config } = await bed.proxy.status();
    expect(config).toEqual({ loadedAt: config.loadedAt, valid: true, problems: [] });
    expect(await bed.proxy.metric('rpc_balancer_config_valid')).toBe(1);

    const problems = await bed.putBroken({
      ...oneChain([entry(b, { weight: -1 })]),
      limits: { perMinuet: 5 },
    });
    expect(problems).toEqual([
      'limits.perMinuet must be a known key (did you mean perMinute?), got "perMinuet"',
      'chains.main.nodes[0].weight must be a number above 0 and at most 256, got -1',
    ]);
    expect((await bed.proxy.status()).config).toEqual({ loadedAt: config.loadedAt, valid: false, problems });
    expect(await bed.proxy.metric('rpc_balancer_config_valid')).toBe(0);
    expect(await bed.proxy.metric('rpc_balancer_config_reloads_total', { result: 'refused' })).toBe(1);
    expect(await bed.proxy.call('eth_chainId')).toBe('0x539');
    expect(b.requests).toEqual([]);

    bed.write(good);
    await bed.proxy.untilLogged('configuration is good again');
    expect((await bed.proxy.status()).config).toEqual(config);
    expect(await bed.proxy.metric('rpc_balancer_config_reloads_total', { result: 'applied' })).toBe(0);
  });

  it('may be no YAML at all, or away for a while', async () => {
    const a = await bed.node('a');
    await bed.start(oneChain([entry(a)]));
    expect(await bed.putBroken('chains: [')).toHaveLength(1);
    rmSync(bed.file);
    await bed.proxy.untilLogged('configuration refused', 2);
    expect((await bed.proxy.status()).config.problems).toEqual(['the file must be readable, got ENOENT']);
    expect(await bed.proxy.call('eth_chainId')).toBe('0x539');
    await bed.put(oneChain([entry(a, { weight: 2 })]));
    expect((await bed.proxy.status()).config.valid).toBe(true);
  });

  it('gives a port to another node', async () => {
    const a = await bed.node('a');
    const withName = (name: string, weight = 1) => oneChain([{ name, localPort: a.port, weight }]);
    await bed.start(withName('a'));
    expect(await bed.putBroken(withName('z'))).toEqual([
      `chains.main.nodes[0].localPort must be a port that was no other node's (main/z is given that of main/a), got ${a.port}`,
    ]);
    await bed.put(withName('a', 2));
  });

  it('names a file of certificate authorities that is not there', async () => {
    const a = await bed.node('a');
    await bed.start(oneChain([entry(a)]));
    const redis = { url: 'rediss://127.0.0.1:1', caFile: join(bed.folder, 'ca.pem') };
    expect(await bed.putBroken(oneChain([entry(a, { weight: 7 })], { redis }))).toEqual([
      'redis.caFile must be a file of certificates (PEM), got ENOENT',
    ]);
    expect((await bed.proxy.node('a')).weight).toBe(1);
    writeFileSync(redis.caFile, selfSigned('DNS:redis.example').cert);
    bed.proxy.signal('SIGHUP');
    await bed.proxy.untilLogged('configuration applied');
    // It is followed now.
    writeFileSync(redis.caFile, selfSigned('DNS:redis.example').cert);
    expect(await bed.proxy.untilLogged('configuration applied', 2)).toMatchObject({ sections: ['redis'] });
  });
});

describe('a change is noticed', () => {
  it('through the links of a mounted ConfigMap', async () => {
    const a = await bed.node('a');
    const mount = join(bed.folder, 'mount');
    const version = (number: number, weight: number): void => {
      mkdirSync(join(mount, `..${number}`), { recursive: true });
      writeFileSync(join(mount, `..${number}`, 'config.yaml'), JSON.stringify(oneChain([entry(a, { weight })])));
      symlinkSync(`..${number}`, join(mount, '..data_tmp'));
      renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
    };
    version(1, 1);
    symlinkSync('..data/config.yaml', join(mount, 'config.yaml'));
    bed.proxy = await ProxyProcess.startFile(join(mount, 'config.yaml'));
    for (const number of [2, 3]) {
      version(number, number);
      rmSync(join(mount, `..${number - 1}`), { recursive: true });
      await bed.proxy.untilLogged('configuration applied', number - 1);
      expect((await bed.proxy.node('a')).weight).toBe(number);
    }
  });

  it('in a file that is named, without a word of what is in it', async () => {
    const [a, b] = [await bed.node('a'), await bed.node('b')];
    const secrets = join(bed.folder, 'secrets.json');
    bed.write(JSON.stringify({ url: a.url }), secrets);
    await bed.start(oneChain([{ name: 'n', url: `\${file:${secrets}#url}/CANARY` }]));
    bed.write(JSON.stringify({ url: b.url }), secrets);
    expect(await bed.proxy.untilLogged('configuration applied')).toMatchObject({ nodesChanged: ['main/n'] });
    await eventually(() => b.requests.length > 0);
    bed.write('{}', secrets);
    const { problems } = await bed.proxy.untilLogged('configuration refused');
    expect(problems).toHaveLength(1);
    bed.write(JSON.stringify({ url: a.url }), secrets);
    await bed.proxy.untilLogged('configuration applied', 2);
    expect(bed.proxy.output).not.toContain(String(b.port));
    expect(bed.proxy.output).not.toContain(`${a.port}/CANARY`);
  });

  it('at SIGHUP, as often as asked', async () => {
    const a = await bed.node('a');
    await bed.start(oneChain([entry(a)]));
    await bed.putBroken(oneChain([entry(a, { weight: 'heavy' })]));
    bed.proxy.signal('SIGHUP');
    await bed.proxy.untilLogged('configuration refused', 2);
    bed.write(oneChain([entry(a, { weight: 2 })]));
    bed.proxy.signal('SIGHUP');
    await bed.proxy.untilLogged('configuration applied');
    bed.proxy.signal('SIGHUP');
    expect(await bed.proxy.call('eth_chainId')).toBe('0x539');
    expect(bed.proxy.logged('configuration applied')).toHaveLength(1);
  });

  it.each(['standard input', 'a named pipe'])('but not where it came through %s', async (way) => {
    const a = await bed.node('a');
    if (way === 'a named pipe') {
      execFileSync('mkfifo', [bed.file]);
      const writing = writeFile(bed.file, JSON.stringify(oneChain([entry(a)])));
      bed.proxy = await ProxyProcess.startFile(bed.file);
      await writing;
    } else {
      bed.proxy = await ProxyProcess.start(oneChain([entry(a)]));
    }
    bed.proxy.signal('SIGHUP');
    await bed.proxy.untilLogged('the configuration cannot be read again');
    expect(await bed.proxy.call('eth_chainId')).toBe('0x539');
  });
});

// The proxy waited for a second key: no file was followed any more, and SIGHUP stopped every request for good.
it('what a pipe gave stays as it was, and a pipe that is named later is not waited for', async () => {
  const a = await bed.node('a');
  const [key, other] = [join(bed.folder, 'key'), join(bed.folder, 'other')];
  for (const pipe of [key, other]) execFileSync('mkfifo', [pipe]);
  const from = (pipe: string, weight: number) => oneChain([entry(a, { url: `${a.url}/\${file:${pipe}}`, weight })]);
  const writing = writeFile(key, 'CANARY');
  await bed.start(from(key, 1));
  await writing;
  await bed.put(from(key, 2));
  bed.proxy.signal('SIGHUP');
  expect(await bed.proxy.call('eth_chainId')).toBe('0x539');
  expect(await bed.putBroken(from(other, 2))).toEqual([
    `chains.main.nodes[0].url must be a file that can be read (IS_PIPE), got \${file:${other}}`,
  ]);
  expect(await bed.proxy.call('eth_chainId')).toBe('0x539');
  await bed.put(from(key, 3));
  expect(await bed.proxy.node('a')).toMatchObject({ weight: 3 });
  expect(bed.proxy.output).not.toContain('CANARY');
});

it('addresses that changed wait for a restart, and the rest does not', async () => {
  const a = await bed.node('a');
  await bed.start(oneChain([entry(a)]));
  const elsewhere = { listen: { port: 1, host: '127.0.0.2' }, admin: { port: 2 } };
  const line = await bed.put({ ...oneChain([entry(a, { weight: 2 })]), ...elsewhere });
  expect(line).toMatchObject({ sections: ['listen', 'admin'], nodesChanged: ['main/a'] });
  expect(await bed.proxy.untilLogged('a restart is needed for another address')).toMatchObject({
    level: 'warn',
    keys: ['listen.host', 'listen.port', 'admin.port'],
  });
  expect(await bed.proxy.call('eth_chainId')).toBe('0x539');
  expect((await bed.proxy.node('a')).weight).toBe(2);
});

it('what is for HAProxy alone changes nothing', async () => {
  const a = await bed.node('a');
  const withProvider = (url: string, port: number) =>
    oneChain([{ name: 'a', localPort: a.port, provider: { url } }], { haproxy: { pool: { port } } });
  await bed.start(withProvider('https://one.example/', 18_000));
  bed.write(withProvider('https://two.example/', 18_001));
  bed.proxy.signal('SIGHUP');
  await bed.put(oneChain([{ name: 'a', localPort: a.port, weight: 2, provider: { url: 'https://two.example/' } }]));
  expect(bed.proxy.logged('configuration')).toHaveLength(1);
});
