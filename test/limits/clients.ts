import type { LimitedClient } from '../../runtime/limits/decision';
import type { Script } from '../../runtime/redis/script';
import type { StageRedis } from '../../runtime/redis/shared-redis';

const EPOCH_MS = 1_780_000_000_000;

/** Milliseconds since 1970, as the test says. */
export class Clock {
  ms = EPOCH_MS;
  readonly now = (): number => this.ms;
}

export function client(address: string): LimitedClient {
  return { key: address, address };
}

export const ALICE = client('203.0.113.7');
export const BOB = client('203.0.113.8');

const TIME = "redis.call('TIME')";
const LIFETIME = 'math.ceil(rested) + 1';

/** The same Redis, but its scripts are told the time by the test's clock. Keys end by the real one, an hour late. */
export function withClock(redis: StageRedis, clock: Clock): StageRedis {
  const retimed = ({ lua }: Script): Script => {
    if (!lua.includes(TIME) || !lua.includes(LIFETIME)) throw new Error('the script does not ask for the time');
    const micros = Math.round(clock.ms * 1000);
    const time = `{ '${Math.floor(micros / 1e6)}', '${micros % 1e6}' }`;
    return { lua: lua.replace(TIME, time).replace(LIFETIME, `${LIFETIME} + 3600000`), sha: 'f'.repeat(40) };
  };
  return {
    get usable() {
      return redis.usable;
    },
    get configured() {
      return redis.configured;
    },
    key: (...parts) => redis.key(...parts),
    command: (deadlineMs, name, ...args) => redis.command(deadlineMs, name, ...args),
    // Redis does not know this hash, so the text is sent along each time.
    run: (deadlineMs, script, keys, args) => redis.run(deadlineMs, retimed(script), keys, args),
  };
}
