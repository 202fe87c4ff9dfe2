import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATHS } from '../../runtime/contract/paths';
import { PORTS } from '../../runtime/contract/ports';
import { REDIS_RIGHTS } from '../../runtime/contract/redis-access';
import { ENVIRONMENTS } from '../constructs/environments';
import { eventually } from '../support/eventually';
import { runLoad } from '../support/load-client';
import { echoMix } from '../support/load-mix';
import { RedisProcess } from '../support/redis-process';
import { selfSigned } from '../upstream/certificate';
import { ChartBed } from './chart-bed';
import { ChartImage } from './chart-image';

jest.setTimeout(120_000);

const { prod } = ENVIRONMENTS;
const { host = '', username = '' } = prod.redis ?? {};
const PASSWORD = 'canary-first';
const NEXT_PASSWORD = 'canary-next';

/**
 * The chart of prod, with a Redis like ElastiCache's: TLS, and a user with the rights that the infrastructure gives it. Its
 * certificate is signed by an authority that the proxy's Node.js trusts by itself, as Amazon's is.
 */
describe('the pod of a chart with Redis', () => {
  let folder: string;
  let image: ChartImage;
  let redis: RedisProcess;
  let bed: ChartBed;

  beforeAll(async () => {
    image = await ChartImage.make();
  });

  afterAll(() => image.remove());

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'chart-redis-'));
    chmodSync(folder, 0o755);
    const { key, cert } = selfSigned('IP:127.0.0.1');
    const files = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') };
    writeFileSync(files.key, key);
    writeFileSync(files.cert, cert);
    const args = ['--tls-cert-file', files.cert, '--tls-key-file', files.key, '--tls-auth-clients', 'no'];
    redis = await RedisProcess.start({ args, tls: { ca: cert }, restricted: false });
    const rights = ['reset', 'on', `>${PASSWORD}`, '~rpc-balancer:*', ...REDIS_RIGHTS.split(' ')];
    await redis.call('ACL', 'SETUSER', username, ...rights);
    bed = await ChartBed.create(image, prod, { [`rediss://${host}:6379`]: redis.url });
    await bed.pod.putSecret(PATHS.redisPassword, { password: PASSWORD });
    bed.pod.env = { NODE_EXTRA_CA_CERTS: files.cert };
    await bed.pod.startAll();
  });

  afterEach(async () => {
    await bed.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('shares through it, and takes another password of it, without a failed request', async () => {
    const { pod } = bed;
    const proxy = pod.get('proxy');
    await proxy.untilLogged('Redis answers');
    // Fewer than the limit allows at once.
    const load = runLoad({ url: pod.url(PORTS.rpc), clients: 2, durationMs: 6000, pauseMs: 25, mix: echoMix });
    await eventually(async () => (await redis.keys()).length > 0);

    await redis.call('ACL', 'SETUSER', username, `>${NEXT_PASSWORD}`);
    await pod.putSecret(PATHS.redisPassword, { password: NEXT_PASSWORD });
    expect(await proxy.untilLogged('configuration applied')).toMatchObject({ sections: ['redis'] });
    await redis.call('ACL', 'SETUSER', username, `<${PASSWORD}`);
    await redis.call('CLIENT', 'KILL', 'USER', username);
    const before = await scripts();
    await eventually(async () => (await scripts()) > before + 10);

    const ledger = await load;
    expect(ledger.failures()).toEqual([]);
    expect(ledger.entries.length).toBeGreaterThan(50);
    expect((await redis.keys()).filter((key) => !key.startsWith('rpc-balancer:'))).toEqual([]);
    expect(await redis.call('ACL', 'LOG')).toEqual([]);
    expect(proxy.output).not.toContain('canary');
  });

  /** What limits have asked so far. */
  async function scripts(): Promise<number> {
    return (await redis.commandCounts())['evalsha'] ?? 0;
  }
});
