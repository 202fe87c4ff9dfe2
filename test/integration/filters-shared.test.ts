import { setTimeout as sleep } from 'node:timers/promises';
import { allHeard, CANARY, expectAsExpected, FilterBed, type Mode, PREFIX, stopAll, type Watch } from './filter-bed';

const MODES: readonly Mode[] = ['computed', 'sticky'];

/**
 * What a client hears while what its filter stands on changes, with thirty logs a second and a reorg each time, beside
 * what it would hear of one healthy node (see filters-node-loss.test.ts for how that compares).
 */
describe('a filter outlives', () => {
  let bed: FilterBed;

  beforeAll(async () => {
    bed = await FilterBed.start(MODES);
    bed.run(30);
  }, 60_000);

  afterAll(() => bed.close(), 20_000);

  /** A client for logs and one for blocks in each mode, with polls under way; the sticky logs are those of this node. */
  const begin = async (name: string): Promise<Watch[]> => {
    const node = bed.node(name);
    const watches = await bed.reference.still(async () => {
      await bed.atTip();
      return [
        await bed.watch('computed', 'logs'),
        await bed.watch('computed', 'blocks'),
        await bed.watchAt(node, 'logs'),
        await bed.watch('sticky', 'blocks'),
      ];
    });
    for (const { client } of watches) client.start(60);
    await sleep(1200);
    return watches;
  };

  const reorg = (watches: readonly Watch[]): Promise<void> => bed.reference.reorg(2, () => allHeard(watches));

  /** Lets it go on for a while, and compares. */
  const finish = async (watches: readonly Watch[]): Promise<void> => {
    await sleep(1200);
    await bed.reference.still(async () => {
      await allHeard(watches);
      await stopAll(watches);
      expectAsExpected(watches);
      for (const { client } of watches) expect(client.told.length).toBeGreaterThan(5);
    });
  };

  const redisIs = (up: boolean): Promise<unknown> =>
    Promise.all(
      Object.values(bed.proxies).flatMap((some) =>
        some.map((proxy) => proxy.until((status) => status.redis?.up === up)),
      ),
    );

  /** Each client keeps to one proxy while the others cannot know what that one tells. */
  const keepToFirst = (watches: readonly Watch[]): (() => void) => {
    const all = watches.map(({ client }) => [...client.urls]);
    for (const { client } of watches) client.urls.splice(1);
    return () => watches.forEach(({ client }, index) => client.urls.splice(0, 1, ...(all[index] ?? [])));
  };

  it('the restart of all proxies, one of which is killed', async () => {
    const watches = await begin('node-0');
    await Promise.all(watches.map(({ client }) => client.stop()));
    for (const mode of MODES) {
      const [killed, stopped] = bed.proxies[mode];
      killed?.signal('SIGKILL');
      await Promise.all([killed?.exited, stopped?.stop()]);
    }
    for (const mode of MODES) {
      bed.proxies[mode] = await Promise.all([bed.startProxy(mode), bed.startProxy(mode)]);
    }
    for (const { client, mode } of watches) client.urls.splice(0, 2, ...bed.urls(mode));
    for (const { client } of watches) client.start(60);
    await reorg(watches);
    await finish(watches);
  }, 60_000);

  it('its node being dropped from the configuration', async () => {
    const watches = await begin('node-0');
    const rest = bed.nodes.filter(({ name }) => name !== 'node-0');
    for (const mode of MODES) {
      const successors = await Promise.all([bed.startProxy(mode, rest), bed.startProxy(mode, rest)]);
      const old = bed.proxies[mode];
      bed.proxies[mode] = successors;
      for (const { client } of watches.filter((watch) => watch.mode === mode)) {
        client.urls.splice(0, 2, ...bed.urls(mode));
      }
      await Promise.all(old.map((proxy) => proxy.stop()));
    }
    await reorg(watches);
    await finish(watches);
  }, 60_000);

  it('its node falling silent', async () => {
    const watches = await begin('node-1');
    // Not while it is given a block: that would be waited for.
    await bed.reference.still(() => {
      bed.node('node-1').freeze();
      return Promise.resolve();
    });
    try {
      await sleep(1500);
      await reorg(watches);
      await finish(watches);
    } finally {
      bed.node('node-1').thaw();
    }
    const proxies = Object.values(bed.proxies).flat();
    await Promise.all(proxies.map((proxy) => proxy.untilNode('node-1', ({ health }) => health === 'up')));
  }, 60_000);

  it('Redis being killed and coming back empty', async () => {
    const watches = await begin('node-1');
    const release = keepToFirst(watches);
    await sleep(300);
    await bed.redis.kill();
    await redisIs(false);
    await sleep(1000);
    await reorg(watches);
    await bed.redis.restart();
    await redisIs(true);
    await sleep(1000);
    release();
    await reorg(watches);
    await finish(watches);
  }, 60_000);

  it('Redis being stopped for a while, and what it was asked meanwhile being done late', async () => {
    const watches = await begin('node-2');
    const release = keepToFirst(watches);
    await sleep(300);
    bed.redis.freeze();
    await sleep(1500);
    await reorg(watches);
    await sleep(500);
    bed.redis.thaw();
    await redisIs(true);
    await sleep(1000);
    release();
    await reorg(watches);
    await finish(watches);
  }, 60_000);

  it('nothing of all this leaving keys without a lifetime or of another prefix, or secrets in their values', async () => {
    const watches = await begin('node-1');
    await sleep(500);
    const keys = await bed.redis.keys();
    expect(keys.filter((key) => !key.startsWith(PREFIX))).toEqual([]);
    for (const { client } of watches) expect(keys.some((key) => key.includes(client.id))).toBe(true);
    for (const key of keys) {
      // One that is gone in the meantime says -2, one without a lifetime -1.
      expect(await bed.redis.call('PTTL', key)).not.toBe(-1);
      const value = await bed.redis.contents(key);
      expect(value).not.toContain(CANARY);
      expect(value).not.toMatch(/https?:|127\.0\.0\.1/);
    }
    await finish(watches);
  });
});
