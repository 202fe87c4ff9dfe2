import { KnownClients } from '../../runtime/limits/client-buckets';
import { compileLimitPolicy } from '../../runtime/limits/limit-policy';
import { MemoryLimiter } from '../../runtime/limits/memory-limiter';
import type { LimitedClient } from '../../runtime/limits/decision';
import { Clock, client } from './clients';
import { limitsConfig } from './limits-config';

const METHODS = ['eth_call'];

function limiterOf(config: Parameters<typeof limitsConfig>[0], clock = new Clock(), maxClients?: number) {
  const clients = new KnownClients(clock.now, maxClients);
  clients.apply(compileLimitPolicy(limitsConfig(config)));
  const limiter = new MemoryLimiter(clients);
  const takes = (who: LimitedClient): boolean => limiter.take(who, METHODS)?.[0]?.allowed === true;
  return { clients, takes };
}

test('however many addresses come, 100 000 are remembered', () => {
  const clock = new Clock();
  const { clients, takes } = limiterOf({ perMinute: 60, methods: { eth_call: { perMinute: 6 } } }, clock);
  let most = 0;
  for (let i = 0; i < 250_000; i++) {
    if (i % 100 === 0) clock.ms += 1;
    takes(client(`${i}`));
    most = Math.max(most, clients.size);
  }
  expect(most).toBe(100_000);
});

test('clients whose buckets are full again are dropped', () => {
  const clock = new Clock();
  const { clients, takes } = limiterOf({ perMinute: 60 }, clock);
  for (let i = 0; i < 1000; i++) takes(client(`old ${i}`));
  expect(clients.size).toBe(1000);
  clock.ms += 60_000;
  for (let i = 0; i < 600; i++) takes(client(`new ${i}`));
  expect(clients.size).toBe(600);
});

test('when full, the least recently used client goes and the others stay limited', () => {
  const { clients, takes } = limiterOf({ perMinute: 60, burst: 1 }, new Clock(), 3);
  const [a, b, c, d] = [client('a'), client('b'), client('c'), client('d')];
  for (const each of [a, b, c]) takes(each);
  expect(takes(a)).toBe(false);
  takes(d);
  expect(clients.size).toBe(3);
  for (const kept of [a, c, d]) expect(takes(kept)).toBe(false);
  expect(takes(b)).toBe(true);
});

test('a clock that steps back an hour stands still meanwhile', () => {
  const clock = new Clock();
  const { takes } = limiterOf({ perMinute: 60, burst: 1 }, clock);
  clock.ms += 3_600_000;
  expect(takes(client('a'))).toBe(true);
  clock.ms -= 7_200_000;
  expect(takes(client('a'))).toBe(false);
  clock.ms += 1000;
  expect(takes(client('a'))).toBe(true);
});
