import { tryOut } from '../../../runtime/proxy/reload/try-out';
import type { NodeClient } from '../../../runtime/upstream/node-client';

// Node warns of more than ten.
test('nodes are tried out all at once, however many, and few questions listen to one signal', async () => {
  const listen = jest.spyOn(AbortSignal.prototype, 'addEventListener');
  const left: string[] = [];
  const silent = { send: () => ({ answer: new Promise(() => undefined), cancel: (code: string) => left.push(code) }) };
  const clients = new Map(Array.from({ length: 30 }, (_, i) => [`node-${i}`, silent as unknown as NodeClient]));
  const asked: string[] = [];
  const options = { clients, enough: 'all' as const, chainId: 1, mostMs: 50, now: () => performance.now() };
  expect(await tryOut({ ...options, onAsk: (node) => asked.push(node) })).toEqual(new Map());
  const signals = new Set<unknown>(listen.mock.contexts);
  listen.mockRestore();
  expect(new Set(asked).size).toBe(30);
  expect(left).toHaveLength(asked.length);
  expect(asked.length / signals.size).toBeLessThan(10);
});
