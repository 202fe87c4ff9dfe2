import { type ClientPolicy, compileLimitPolicy } from '../../runtime/limits/limit-policy';
import { limitsConfig } from './limits-config';

type Limits = Parameters<typeof limitsConfig>[0];

function policyOf(config: Limits, address = '203.0.113.7'): ClientPolicy {
  const policy = compileLimitPolicy(limitsConfig(config));
  if (policy === undefined) throw new Error('no limits');
  return policy.forAddress(address);
}

const totalOf = (config: Limits, address?: string): number | undefined => policyOf(config, address).total?.perMinute;

describe('a burst', () => {
  test.each([
    [60, undefined, 20],
    [120, undefined, 20],
    [600, undefined, 100],
    [1000, undefined, 166],
    [600, 5, 5],
  ])('of %d per minute, given as %p, is %d', (perMinute, burst, expected) => {
    expect(policyOf({ perMinute, burst }).total?.burst).toBe(expected);
    const { methods } = policyOf({ methods: { eth_call: { perMinute, burst } } });
    expect(methods.get('eth_call')?.bucket?.burst).toBe(expected);
  });
});

describe('no limits', () => {
  test.each<Limits>([
    {},
    { burst: 50 },
    { cost: { eth_call: 5 } },
    { overrides: [{ cidrs: ['10.0.0.0/8'], unlimited: true }] },
  ])('%j limits nothing', (config) => {
    expect(compileLimitPolicy(limitsConfig(config))).toBeUndefined();
  });

  test('a limit for some clients only is a limit', () => {
    const config = { overrides: [{ cidrs: ['10.0.0.0/8'], perMinute: 60 }] };
    expect(totalOf(config, '10.1.1.1')).toBe(60);
    expect(totalOf(config, '11.1.1.1')).toBeUndefined();
  });
});

describe('a method', () => {
  test('has a cost, a limit, both or neither', () => {
    const { methods } = policyOf({
      perMinute: 60,
      methods: { a: { perMinute: 6 }, b: { perMinute: 7 } },
      cost: { b: 5, c: 0 },
    });
    expect(methods.get('a')).toMatchObject({ cost: 1, bucket: { perMinute: 6 } });
    expect(methods.get('b')).toMatchObject({ cost: 5, bucket: { perMinute: 7 } });
    expect(methods.get('c')).toMatchObject({ cost: 0, bucket: undefined });
    expect(methods.get('d')).toBeUndefined();
    expect(new Set([...methods.values()].map(({ slot }) => slot))).toEqual(new Set([0, 1, 2]));
  });

  test('called constructor or __proto__ is one like others', () => {
    const methods = JSON.parse('{"__proto__":{"perMinute":1}}') as NonNullable<Limits['methods']>;
    const policy = policyOf({ perMinute: 60, methods, cost: { toString: 4 } });
    expect(policy.methods.get('__proto__')).toMatchObject({ cost: 1, bucket: { perMinute: 1 } });
    expect(policy.methods.get('toString')).toMatchObject({ cost: 4, bucket: undefined });
    expect(policy.methods.get('constructor')).toBeUndefined();
  });
});

describe('overrides', () => {
  const config: Limits = {
    perMinute: 600,
    burst: 50,
    methods: { eth_getLogs: { perMinute: 30, burst: 7 }, eth_call: { perMinute: 300 } },
    cost: { eth_getLogs: 10 },
    overrides: [
      { cidrs: ['192.0.2.5'], perMinute: 1 },
      { cidrs: ['192.0.2.0/24', '2001:db8:9::/48'], perMinute: 6000 },
      { cidrs: ['0.0.0.0/1'], unlimited: true },
      { cidrs: ['2001:db8:1:2::5/128'], perMinute: 7 },
      { cidrs: ['198.51.100.0/24'], burst: 60, methods: { eth_call: { perMinute: 5 } } },
    ],
  };

  test.each([
    ['192.0.2.5', 1],
    ['192.0.2.6', 6000],
    ['2001:db8:9:ffff::1', 6000],
    ['203.0.113.7', 600],
    ['10.1.1.1', undefined],
    ['2001:db8:1:2::5', 7],
    ['2001:db8:1:2:9::', 7],
    ['2001:db8:1:3::', 600],
    ['unknown', 600],
  ])('the first that holds the client counts: %s has %p', (address, expected) => {
    expect(totalOf(config, address)).toBe(expected);
  });

  test.each([
    ['::/0', '203.0.113.7', false],
    ['::/0', '2001:db8::1', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::ffff:203.0.113.0/120', '203.0.113.7', true],
    ['::ffff:cb00:7100/120', '203.0.114.7', false],
    ['::ffff:203.0.113.7', '203.0.113.7', true],
    ['::ffff:203.0.113.7/64', '203.0.113.7', false],
    ['203.0.113.7', '203.0.113.8', false],
  ])('%s and the client %s: %s', (cidr, address, holds) => {
    const one = { overrides: [{ cidrs: [cidr], perMinute: 60 }] };
    expect(totalOf(one, address)).toBe(holds ? 60 : undefined);
  });

  test('what one leaves out is as for everybody', () => {
    const { total, methods } = policyOf(config, '198.51.100.1');
    expect(total).toMatchObject({ perMinute: 600, burst: 60 });
    expect(methods.get('eth_getLogs')).toMatchObject({ cost: 10, bucket: { perMinute: 30, burst: 7 } });
    expect(methods.get('eth_call')).toMatchObject({ cost: 1, bucket: { perMinute: 5, burst: 20 } });
    expect(policyOf(config).methods.get('eth_call')).toMatchObject({ bucket: { perMinute: 300, burst: 50 } });
  });

  test('another rate does not inherit the burst of the old one', () => {
    expect(policyOf(config, '192.0.2.6').total?.burst).toBe(1000);
  });

  test('an unlimited client has no limits for methods either', () => {
    expect([...policyOf(config, '10.1.1.1').methods.values()].filter(({ bucket }) => bucket)).toEqual([]);
  });
});
