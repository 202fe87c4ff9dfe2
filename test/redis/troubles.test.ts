import { RedisFailure } from '../../runtime/redis/failure';
import { Troubles } from '../../runtime/redis/troubles';

let at: number;
let told: string[];
let troubles: Troubles;

beforeEach(() => {
  at = 1_000_000;
  told = [];
  troubles = new Troubles({
    now: () => at,
    onTrouble: ({ code }) => told.push(code),
    onOver: () => told.push('over'),
  });
});

const full = new RedisFailure('FULL');

it('is told once, and over when what failed is answered and nothing has failed for a while', () => {
  for (let i = 0; i < 5; i++) troubles.failed('SET', full);
  expect([troubles.code, told]).toEqual(['FULL', ['FULL']]);
  troubles.answered('SET');
  expect([troubles.code, told]).toEqual(['FULL', ['FULL']]);
  at += 10_000;
  troubles.answered('GET');
  expect([troubles.code, told]).toEqual([undefined, ['FULL', 'over']]);
});

it('is not over because something else is answered, however long', () => {
  troubles.failed('SET', full);
  for (let i = 0; i < 10; i++) {
    at += 60_000;
    troubles.answered('GET');
  }
  expect(told).toEqual(['FULL']);
});

it('is one while Redis does and does not in turn', () => {
  for (let i = 0; i < 100; i++) {
    troubles.failed('SET', full);
    at += 5000;
    troubles.answered('SET');
    at += 4999;
  }
  expect(told).toEqual(['FULL']);
});

it('is told for each reason once', () => {
  for (let i = 0; i < 5; i++) {
    troubles.failed('SET', full);
    troubles.failed('GET', new RedisFailure('TIMEOUT'));
  }
  expect(told).toEqual(['FULL', 'TIMEOUT']);
});
