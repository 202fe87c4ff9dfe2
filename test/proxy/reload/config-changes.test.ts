import { parseConfig } from '../../../runtime/config/load';
import { checkReload } from '../../../runtime/config/reload-checks';
import { configChanges, defaultChainOf, isUnchanged, needsRestart } from '../../../runtime/proxy/reload/config-changes';

type Plain = Record<string, unknown>;

function config({ chains, ...rest }: Plain = {}) {
  const main = { chainId: 1, nodes: [node('a'), node('b')] };
  return parseConfig(JSON.stringify({ ...rest, chains: chains ?? { main } }), { env: {} });
}

function node(name: string, more: Plain = {}): Plain {
  return { name, url: `http://${name}.example`, ...more };
}

const withNodes = (...nodes: Plain[]) => config({ chains: { main: { chainId: 1, nodes } } });

/** Without the empty lists. */
function told(before: ReturnType<typeof config>, after: ReturnType<typeof config>): Plain {
  const changes = Object.entries(configChanges(before, after));
  return Object.fromEntries(changes.filter(([, names]: [string, readonly string[]]) => names.length > 0));
}

describe('what is different', () => {
  it.each([
    ['a node more', withNodes(node('a'), node('b'), node('c')), { nodesAdded: ['main/c'] }],
    ['a node less', withNodes(node('b')), { nodesRemoved: ['main/a'] }],
    ['another weight', withNodes(node('a', { weight: 2 }), node('b')), { nodesChanged: ['main/a'] }],
    ['another address', withNodes(node('a', { url: 'http://x.example' }), node('b')), { nodesChanged: ['main/a'] }],
    ['a WebSocket', withNodes(node('a', { wsUrl: 'ws://a.example' }), node('b')), { nodesChanged: ['main/a'] }],
    [
      'another name',
      withNodes(node('z', { url: 'http://a.example' }), node('b')),
      { nodesAdded: ['main/z'], nodesRemoved: ['main/a'] },
    ],
    ['limits', config({ limits: { perMinute: 5 } }), { sections: ['limits'] }],
    ['an address', config({ listen: { port: 1 } }), { sections: ['listen'] }],
    [
      'a section of a chain',
      config({ chains: { main: { chainId: 1, nodes: [node('a'), node('b')], cache: { maxBytes: 1 } } } }),
      { sections: ['chains.main.cache'] },
    ],
    [
      'another chain id, which is another chain',
      config({ chains: { main: { chainId: 2, nodes: [node('a')] } } }),
      { chainsAdded: ['main'], chainsRemoved: ['main'] },
    ],
    [
      'another name of the chain',
      config({ chains: { other: { chainId: 1, nodes: [node('a')] } } }),
      { chainsAdded: ['other'], chainsRemoved: ['main'], sections: ['defaultChain'] },
    ],
  ])('%s', (_, after, expected) => {
    expect(told(config(), after)).toEqual(expected);
    expect(isUnchanged(configChanges(config(), after))).toBe(false);
  });

  it.each([
    ['nothing', config()],
    ['a default that is written out', config({ http: { gzip: false } })],
    ['the order of nodes', withNodes(node('b'), node('a'))],
    ['what is for HAProxy', config({ haproxy: { pool: { port: 18_000 } } })],
  ])('is not %s', (_, after) => {
    expect(isUnchanged(configChanges(config(), after))).toBe(true);
  });

  it('is not where HAProxy dials a provider', () => {
    const of = (url: string) => withNodes({ name: 'a', localPort: 8001, provider: { url } });
    expect(isUnchanged(configChanges(of('https://one.example'), of('https://two.example')))).toBe(true);
  });

  it('is the chain at / too, where it follows from the order', () => {
    const red = { chainId: 1, nodes: [node('a')] };
    const blue = { chainId: 2, nodes: [node('a')] };
    const [one, other] = [config({ chains: { red, blue } }), config({ chains: { blue, red } })];
    expect([defaultChainOf(one), defaultChainOf(other)]).toEqual(['red', 'blue']);
    expect(told(one, other)).toEqual({ sections: ['defaultChain'] });
  });
});

describe('what needs a restart', () => {
  it('is each address, and nothing else of its section', () => {
    const after = config({ listen: { port: 1, drainDelayMs: 5 }, admin: { host: '::1' } });
    expect(needsRestart(config(), after)).toEqual(['listen.port', 'admin.host']);
    expect(needsRestart(config(), config({ listen: { drainDelayMs: 5 } }))).toEqual([]);
  });
});

describe('a local port', () => {
  const chainOf = (chain: string, ...nodes: Plain[]) => config({ chains: { [chain]: { chainId: 1, nodes } } });
  const local = (name: string, localPort: number): Plain => ({ name, localPort });
  const running = chainOf('main', local('a', 8001), local('b', 8002));

  it.each([
    ['another node', chainOf('main', local('z', 8001), local('b', 8002)), 'main/z is given that of main/a'],
    ['another chain', chainOf('side', local('a', 8001)), 'side/a is given that of main/a'],
    ['one another', chainOf('main', local('b', 8001), local('a', 8003)), 'main/b is given that of main/a'],
  ])('is not given to %s', (_, next, whose) => {
    expect(checkReload(running, next)).toEqual([
      `chains.${Object.keys(next.chains)[0] ?? ''}.nodes[0].localPort must be a port that was no other node's (${whose}), got 8001`,
    ]);
  });

  it('stays its node’s, may be given up, and a new one may be taken', () => {
    expect(checkReload(running, running)).toEqual([]);
    expect(checkReload(running, chainOf('main', local('a', 8003), local('c', 8004)))).toEqual([]);
  });
});
