import { ConfigError } from '../../runtime/config/load';
import { ChainWatch } from '../../runtime/proxy/head/chain-watch';
import { instrument, instrumentRedis } from '../../runtime/proxy/instrument';
import { NodeStats } from '../../runtime/proxy/chain/node-stats';
import { RedisFailure } from '../../runtime/redis/failure';
import { FollowLog } from '../../runtime/render/follow-log';
import { createLogger } from '../../runtime/telemetry/logger';
import { createMetrics } from '../../runtime/telemetry/metrics';

/*
 * A program: the runtime's own parts write, by its own logger, the lines that are worth an alarm, and lines that are
 * not. Run by test/lib/log-events.test.ts.
 */

const log = createLogger('info');
const metrics = createMetrics();
let ms = 0;

const watch = new ChainWatch(log, () => ms);
const chain = { name: 'mainnet', isServed: true, head: 100, blockTimeMs: 12_000 };
watch.look([{ ...chain, isServed: false }]);
watch.look([chain]);
ms += 600_000;
watch.look([chain]);
watch.look([{ ...chain, head: 101 }]);

const { onDown, onUp } = instrumentRedis(metrics, log);
onDown(new RedisFailure('TIMEOUT', 'no answer within 50 ms'));
onUp();

const events = instrument('mainnet', metrics, log, new NodeStats(() => ms));
events.onError(new Error('a defect of a test'));
events.onEject({ node: 'a', reason: 'two refused connections', untilMs: 1 });
events.onReorg();

const follow = new FollowLog(log);
const cfg = { text: '', revision: '1' };
follow.took({ ok: false, files: [], error: new ConfigError('the configuration', ['chains must be there']) });
follow.notWritten('EACCES');
follow.settled({ kind: 'refused', runs: undefined, log: undefined }, cfg, '/run/master.sock');
follow.settled({ kind: 'elsewhere', worker: 7 }, cfg, '/run/master.sock');
log.info('configuration is good again');
