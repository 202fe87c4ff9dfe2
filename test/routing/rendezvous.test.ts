import fc from 'fast-check';
import { createHash } from 'node:crypto';
import {
  clientHash,
  createClientHash,
  type HashedClient,
  pickByHash,
  rankByHash,
} from '../../runtime/routing/rendezvous';

function clientAt(index: number): HashedClient {
  const bytes = Uint8Array.of(198, (index >> 16) & 255, (index >> 8) & 255, index & 255);
  return { key: bytes.join('.'), bytes };
}

const CLIENTS = Array.from({ length: 6000 }, (_, index) => clientAt(index));

function firstNodes(nodes: readonly { name: string; weight: number }[]): string[] {
  return CLIENTS.map((client) => pickByHash(nodes, client)?.name ?? 'nobody');
}

test('the hash is the documented one', () => {
  const client = { key: '203.0.113.7', bytes: Uint8Array.of(203, 0, 113, 7) };
  const digest = createHash('sha256')
    .update(Buffer.from('cb007107' + '00' + '6e6f64652dc3a9', 'hex'))
    .digest();
  const first53 = digest.readBigUInt64BE(0) >> 11n;
  expect(clientHash(client, 'node-é')).toBe((Number(first53) + 1) / (2 ** 53 + 2));
});

// Written down once: another number here means that a new version sends clients elsewhere than the old one.
test('clients stay where earlier versions sent them', () => {
  const nodes = ['alpha', 'beta', 'gamma'].map((name, index) => ({ name, weight: index + 1 }));
  const ranks = [0, 1, 2, 3, 4, 5].map((index) =>
    rankByHash(nodes, clientAt(index))
      .map(({ name }) => name[0])
      .join(''),
  );
  expect(ranks).toEqual(['gab', 'agb', 'gba', 'gba', 'bga', 'bga']);
});

test('nodes are first in proportion to their weight', () => {
  const names = firstNodes([1, 2, 3, 6].map((weight) => ({ name: `w${weight}`, weight })));
  for (const weight of [1, 2, 3, 6]) {
    const share = names.filter((name) => name === `w${weight}`).length / CLIENTS.length;
    expect(Math.abs(share - weight / 12)).toBeLessThan(0.02);
  }
});

test('adding a node moves only the share it wins', () => {
  const before = firstNodes([1, 1, 1].map((weight, index) => ({ name: `n${index}`, weight })));
  const after = firstNodes([1, 1, 1, 1].map((weight, index) => ({ name: `n${index}`, weight })));
  const moved = after.filter((name, index) => name !== before[index]);
  expect(new Set(moved)).toEqual(new Set(['n3']));
  expect(Math.abs(moved.length / CLIENTS.length - 0.25)).toBeLessThan(0.02);
});

const node = fc.record({ name: fc.string(), weight: fc.double({ min: 0.01, max: 100, noNaN: true }) });
const nodeList = fc.uniqueArray(node, { selector: ({ name }) => name, minLength: 1, maxLength: 8 });
const anyClient = fc.uint8Array({ minLength: 4, maxLength: 8 }).map((bytes) => ({ key: bytes.join('.'), bytes }));

test('without a node, its clients go to their next one and nobody else moves', () => {
  fc.assert(
    fc.property(nodeList, anyClient, fc.nat(), (nodes, client, which) => {
      const gone = nodes[which % nodes.length];
      const rest = nodes.filter((each) => each !== gone);
      expect(rankByHash(rest, client)).toEqual(rankByHash(nodes, client).filter((each) => each !== gone));
    }),
  );
});

test('more weight never moves a client away from the node that got it', () => {
  fc.assert(
    fc.property(nodeList, anyClient, fc.double({ min: 1, max: 50, noNaN: true }), (nodes, client, factor) => {
      const first = pickByHash(nodes, client);
      const grown = nodes.map((each) => (each === first ? { ...each, weight: each.weight * factor } : each));
      expect(pickByHash(grown, client)?.name).toBe(first?.name);
    }),
  );
});

test('the place in the list means nothing, and the first of the ranks is the pick', () => {
  fc.assert(
    fc.property(nodeList, anyClient, (nodes, client) => {
      const backwards = [...nodes].reverse();
      expect(rankByHash(backwards, client)).toEqual(rankByHash(nodes, client));
      expect(pickByHash(backwards, client)).toBe(rankByHash(nodes, client)[0]);
    }),
  );
});

test('equal scores go to the name that sorts first', () => {
  const nodes = ['b', 'a', 'c'].map((name) => ({ name, weight: 1 }));
  const same = (): number => 0.5;
  expect(pickByHash(nodes, clientAt(1), same)?.name).toBe('a');
  expect(rankByHash(nodes, clientAt(1), same).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});

test('nobody for no nodes', () => {
  const none: { name: string; weight: number }[] = [];
  expect([pickByHash(none, clientAt(1)), rankByHash(none, clientAt(1))]).toEqual([undefined, []]);
});

test('remembered positions are the same as computed ones, also after many other clients', () => {
  const hash = createClientHash(10);
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 100; index++) {
      for (const name of ['a', 'b']) expect(hash(clientAt(index), name)).toBe(clientHash(clientAt(index), name));
    }
  }
});
