import { mkdtempSync } from 'node:fs';
import { mkdir, open, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileWatcher } from '../../runtime/config/watch';
import { eventually } from '../support/eventually';

/** Longer than a test, so that what is told was heard of. */
const NEVER_MS = 60_000;
const SETTLE_MS = 20;

let folder: string;
let file: string;
let told: string[][];
let watcher: FileWatcher;
let stop: AbortController;
let running: Promise<void>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'watch-'));
  file = join(folder, 'config.yaml');
  told = [];
  await writeFile(file, 'first');
});

afterEach(async () => {
  stop.abort();
  await running;
  await rm(folder, { recursive: true, force: true });
});

/** Watches, and forgets that new files are told once. */
async function start(files: readonly string[] = [file], pollMs = NEVER_MS, settleMs = SETTLE_MS): Promise<void> {
  stop = new AbortController();
  watcher = new FileWatcher({
    onChange: (changed) => told.push(changed.map((one) => basename(one))),
    pollMs,
    settleMs,
  });
  watcher.watch(files);
  running = watcher.run(stop.signal);
  await untilTold(1);
  told.length = 0;
}

const untilTold = (times: number): Promise<void> =>
  eventually(
    () => told.length >= times,
    () => `told ${told.length} times`,
    5000,
  );

/** As long as it takes to be sure that nothing more comes. */
const calm = (): Promise<void> => sleep(10 * SETTLE_MS);

async function expectOnce(files: readonly string[] = ['config.yaml']): Promise<void> {
  await untilTold(1);
  await calm();
  expect(told).toEqual([files]);
  told.length = 0;
}

/** As kubelet's AtomicWriter does: a new folder, and `..data` turned to it with one rename. */
async function mount(to: string, files: Readonly<Record<string, string>>, stamp: string): Promise<void> {
  await mkdir(join(to, stamp));
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(to, stamp, name), content);
    await symlink(join('..data', name), join(to, name)).catch(() => undefined);
  }
  await symlink(stamp, join(to, '..data_tmp'));
  await rename(join(to, '..data_tmp'), join(to, '..data'));
}

describe('it tells of a file', () => {
  it('that is written in place', async () => {
    await start();
    for (const content of ['second', 'third!', 'third?']) {
      await writeFile(file, content);
      await expectOnce();
    }
  });

  it('that is replaced by rename, each time', async () => {
    await start();
    for (const content of ['second', 'third']) {
      await writeFile(`${file}.new`, content);
      await rename(`${file}.new`, file);
      await expectOnce();
    }
    // The one that was renamed away is not the file any more.
    await writeFile(file, 'in place');
    await expectOnce();
  });

  it('behind a link that is turned, as of a mounted ConfigMap, whose old folder is removed', async () => {
    const mounted = join(folder, 'mounted');
    await mkdir(mounted);
    await mount(mounted, { 'a.yaml': 'a1', 'b.json': 'b1' }, '..2026_01');
    await start([join(mounted, 'a.yaml'), join(mounted, 'b.json')]);
    for (let turn = 2; turn < 6; turn++) {
      await mount(mounted, { 'a.yaml': `a${turn}`, 'b.json': 'b1' }, `..2026_0${turn}`);
      await rm(join(mounted, `..2026_0${turn - 1}`), { recursive: true });
      await expectOnce(['a.yaml']);
    }
    // And with the same content, as kubelet does when only another key changes.
    await mount(mounted, { 'a.yaml': 'a5', 'b.json': 'b1' }, '..2026_06');
    await calm();
    expect(told).toEqual([]);
  });

  it('behind a link to another folder, written there', async () => {
    await mkdir(join(folder, 'elsewhere'));
    await writeFile(join(folder, 'elsewhere', 'real.yaml'), 'first');
    await symlink(join('elsewhere', 'real.yaml'), join(folder, 'link.yaml'));
    await start([join(folder, 'link.yaml')]);
    await writeFile(join(folder, 'elsewhere', 'real.yaml'), 'second');
    await expectOnce(['link.yaml']);
  });

  it('that is away for a moment, once; that stays away, and again when it is back', async () => {
    await start();
    await unlink(file);
    await writeFile(file, 'second');
    await expectOnce();
    await unlink(file);
    await expectOnce();
    await writeFile(file, 'second');
    await expectOnce();
  });

  it('whose folder is replaced', async () => {
    const inner = join(folder, 'inner');
    await mkdir(inner);
    await writeFile(join(inner, 'x'), 'first');
    await start([join(inner, 'x')], 200);
    await rename(inner, join(folder, 'gone'));
    await mkdir(inner);
    await writeFile(join(inner, 'x'), 'second');
    await untilTold(1);
    await calm();
    told.length = 0;
    await writeFile(join(inner, 'x'), 'third');
    await expectOnce(['x']);
  });

  it('that was not there at the start, nor its folder', async () => {
    const late = join(folder, 'late', 'x');
    await start([late], 200);
    await mkdir(join(folder, 'late'));
    await writeFile(late, 'first');
    await expectOnce(['x']);
  });

  it('among several, and only of that', async () => {
    const other = join(folder, 'other');
    await writeFile(other, 'first');
    await start([file, other]);
    await writeFile(other, 'second');
    await expectOnce(['other']);
    await Promise.all([writeFile(other, 'third'), writeFile(file, 'second')]);
    await untilTold(1);
    await calm();
    expect(told.flat().sort()).toEqual(['config.yaml', 'other']);
  });
});

it('finds by looking what no event tells', async () => {
  // A file of the kernel's changes without events.
  const clock = '/proc/uptime';
  await start([clock], 50);
  await untilTold(2);
});

it('waits for a file to be whole', async () => {
  await start([file], NEVER_MS, 150);
  const writing = await open(file, 'w');
  for (const part of ['chains:', ' {a: ', '{chainId: 1', '}}']) {
    await writing.write(part);
    await sleep(60);
  }
  await writing.close();
  await untilTold(1);
  await sleep(600);
  expect(told).toHaveLength(1);
});

it('tells once of a burst, and does not miss its end', async () => {
  await start();
  for (let turn = 0; turn < 200; turn++) {
    await writeFile(`${file}.new`, String(turn % 2));
    await rename(`${file}.new`, file);
  }
  await writeFile(file, 'the end');
  await untilTold(1);
  await calm();
  expect(told.length).toBeLessThan(30);
  told.length = 0;
  await writeFile(file, 'after it');
  await expectOnce();
});

it('says nothing of what does not change, whatever else goes on in the folder, and reads no more often than told', async () => {
  await start();
  const usage = process.cpuUsage();
  for (let turn = 0; turn < 300; turn++) await writeFile(join(folder, 'noise'), String(turn));
  await writeFile(file, 'first');
  await calm();
  expect(told).toEqual([]);
  const { user, system } = process.cpuUsage(usage);
  expect(user + system).toBeLessThan(3_000_000);
});

it('takes files in and lets others go while it runs', async () => {
  const other = join(folder, 'other');
  await writeFile(other, 'first');
  await start();
  watcher.watch([other]);
  // Nobody knows what it held when the caller read it.
  await expectOnce(['other']);
  await writeFile(file, 'second');
  await calm();
  expect(told).toEqual([]);
  await writeFile(other, 'second');
  await expectOnce(['other']);
  watcher.watch([file, other]);
  await expectOnce();
});

it('ends at once with its signal, and leaves nothing open', async () => {
  const open = (kind: string): number => process.getActiveResourcesInfo().filter((name) => name === kind).length;
  const timers = open('Timeout');
  await start();
  expect(open('FSEventWrap')).toBeGreaterThan(0);
  const began = performance.now();
  stop.abort();
  await running;
  expect(performance.now() - began).toBeLessThan(500);
  // Node closes them in its next turn.
  await sleep(0);
  expect([open('FSEventWrap'), open('Timeout') - timers]).toEqual([0, 0]);
  await writeFile(file, 'second');
  await calm();
  expect(told).toEqual([]);
});
