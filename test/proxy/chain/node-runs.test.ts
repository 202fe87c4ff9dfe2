import { NodeRuns } from '../../../runtime/proxy/chain/node-runs';

test('a node is sure to have run on since it was known, was last away, or down', () => {
  let now = 100;
  const runs = new NodeRuns(() => now);
  expect(runs.of('a')).toBeUndefined();
  runs.begin('a');
  expect(runs.of('a')).toEqual({ downAt: 0, unbrokenSince: 100 });
  now = 200;
  runs.broke('a');
  expect(runs.of('a')).toEqual({ downAt: 0, unbrokenSince: 200 });
  now = 300;
  runs.wentDown('a');
  now = 400;
  runs.broke('a');
  expect(runs.of('a')).toEqual({ downAt: 300, unbrokenSince: 400 });
});

test('of a node that was taken out nothing is known, whatever is heard of it', () => {
  const runs = new NodeRuns(() => 100);
  runs.begin('a');
  runs.forget('a');
  runs.broke('a');
  runs.wentDown('a');
  expect(runs.of('a')).toBeUndefined();
});
