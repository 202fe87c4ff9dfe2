import { Reconciler } from '../../runtime/weighter/reconcile';
import type { HaproxyView, ServerState } from '../../runtime/weighter/server-state';

const STATIC = "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.";

function view(...servers: (Partial<ServerState> & { readonly server: string })[]): HaproxyView {
  const process = { pid: 1, uptimeSeconds: 1, version: '' };
  const whole = {
    backend: 'rpc-backend',
    address: '127.0.0.1',
    port: 1,
    weight: 100,
    initialWeight: 100,
    isAway: false,
    isDown: false,
  };
  return { process, servers: servers.map((one) => ({ ...whole, ...one })) };
}

function want(server: string, weight: number, backend = 'rpc-backend') {
  return { backend, server, weight };
}

function reconciler(answer: (command: string) => string) {
  const asked: string[][] = [];
  const ask = (commands: readonly string[]): Promise<readonly string[]> => {
    asked.push([...commands]);
    return Promise.resolve(commands.map(answer));
  };
  return { reconciler: new Reconciler({ ask }), asked };
}

it('writes the differences, all at once, and nothing else', async () => {
  const { reconciler: one, asked } = reconciler(() => '');
  const changes = await one.apply(
    [want('a', 0), want('b', 100), want('c', 50)],
    view({ server: 'a' }, { server: 'b' }, { server: 'c' }, { server: 'other', weight: 3 }),
  );
  expect(asked).toEqual([['set weight rpc-backend/a 0', 'set weight rpc-backend/c 50']]);
  expect(changes).toEqual([
    { name: 'rpc-backend/a', from: 100, to: 0 },
    { name: 'rpc-backend/c', from: 100, to: 50 },
  ]);
});

it('asks nothing where all is as it should be', async () => {
  const { reconciler: one, asked } = reconciler(() => '');
  expect(await one.apply([want('a', 7)], view({ server: 'a', weight: 7 }))).toEqual([]);
  expect(asked).toEqual([]);
});

it('tells each refusal, and that the others were taken', async () => {
  const { reconciler: one } = reconciler((command) => (command.includes('/gone ') ? 'No such server.' : ''));
  const changes = await one.apply([want('gone', 5), want('a', 5)], view({ server: 'a' }));
  expect(changes).toEqual([
    {
      name: 'rpc-backend/gone',
      from: undefined,
      to: 5,
      refusal: expect.objectContaining({ code: 'NO_SUCH_SERVER' }) as Error,
    },
    { name: 'rpc-backend/a', from: 100, to: 5 },
  ]);
});

describe('a backend with a static algorithm', () => {
  /** As HAProxy does: 0, the configured weight, and percentages of it. */
  const haproxy = (initial: number) =>
    reconciler((command) => (['0', String(initial), '0%', '100%'].includes(command.split(' ')[3] ?? '') ? '' : STATIC));

  it('is found out by its refusal, once, and gets 0 % and 100 % from then on', async () => {
    const { reconciler: one, asked } = haproxy(10);
    const state = view({ server: 'a', weight: 0, initialWeight: 10 }, { server: 'b', weight: 10, initialWeight: 10 });
    expect(await one.apply([want('a', 100), want('b', 0)], state)).toEqual([
      { name: 'rpc-backend/b', from: 10, to: 0 },
      { name: 'rpc-backend/a', from: 0, to: 10 },
    ]);
    expect(asked.splice(0)).toEqual([
      ['set weight rpc-backend/a 100', 'set weight rpc-backend/b 0'],
      ['set weight rpc-backend/a 100%'],
    ]);
    await one.apply([want('a', 0), want('b', 37)], state);
    expect(asked.splice(0)).toEqual([]);
    await one.apply([want('a', 1), want('b', 0)], state);
    expect(asked).toEqual([['set weight rpc-backend/a 100%', 'set weight rpc-backend/b 0%']]);
  });

  it('is asked again about after a restart', async () => {
    const { reconciler: one, asked } = haproxy(10);
    const state = view({ server: 'a', weight: 0, initialWeight: 10 });
    await one.apply([want('a', 100)], state);
    one.forget();
    await one.apply([want('a', 100)], state);
    expect(asked[2]).toEqual(['set weight rpc-backend/a 100']);
  });

  it('does not change how another backend is spoken to', async () => {
    const { reconciler: one, asked } = reconciler((command) =>
      command.includes('sticky') && !command.endsWith('%') ? STATIC : '',
    );
    const state = view({ server: 'a' }, { server: 'a', backend: 'sticky', weight: 0 });
    await one.apply([want('a', 50), want('a', 50, 'sticky')], state);
    await one.apply([want('a', 60), want('a', 60, 'sticky')], state);
    expect(asked[2]).toEqual(['set weight rpc-backend/a 60', 'set weight sticky/a 100%']);
  });

  it('that refuses 100 % too is a refusal and no endless loop', async () => {
    const { reconciler: one, asked } = reconciler(() => STATIC);
    const [change] = await one.apply([want('a', 5)], view({ server: 'a', weight: 0 }));
    expect(change?.refusal?.code).toBe('STATIC_WEIGHTS');
    expect(asked).toHaveLength(2);
  });
});
