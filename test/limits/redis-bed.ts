import { type StageRedis, SharedRedis } from '../../runtime/redis/shared-redis';
import { eventually } from '../support/eventually';
import { RedisProcess, type RedisProcessOptions } from '../support/redis-process';
import { redisEvents } from '../support/redis-events';

/** A real redis-server and our connection to it. */
export class RedisBed {
  private tests = 0;

  private constructor(
    readonly server: RedisProcess,
    readonly shared: SharedRedis,
  ) {}

  static async start(options: RedisProcessOptions = {}): Promise<RedisBed> {
    const server = await RedisProcess.start(options);
    const shared = new SharedRedis(redisEvents());
    const bed = new RedisBed(server, shared);
    bed.connect();
    await eventually(() => shared.usable);
    return bed;
  }

  connect(as: { readonly username?: string; readonly password?: string } = {}): void {
    this.shared.apply({ url: this.server.url, keyPrefix: 'test:', connectTimeoutMs: 1000, ...as });
  }

  get stage(): StageRedis {
    return this.shared.for('limits');
  }

  /** The same, with keys of its own. */
  freshStage(): StageRedis {
    const { stage } = this;
    const test = ++this.tests;
    return {
      get usable() {
        return stage.usable;
      },
      get configured() {
        return stage.configured;
      },
      key: (...parts) => stage.key(test, ...parts),
      command: (deadlineMs, name, ...args) => stage.command(deadlineMs, name, ...args),
      run: (deadlineMs, script, keys, args) => stage.run(deadlineMs, script, keys, args),
    };
  }

  /** How often scripts were run so far. */
  async runs(): Promise<number> {
    const { eval: whole = 0, evalsha = 0 } = await this.server.commandCounts();
    return whole + evalsha;
  }

  async stop(): Promise<void> {
    this.shared.close();
    await this.server.stop();
  }
}
