import type { SharedRedisEvents } from '../../runtime/redis/shared-redis';

const ignore = (): void => undefined;

/** Tells nobody, but for those given. */
export function redisEvents(told: Partial<SharedRedisEvents> = {}): SharedRedisEvents {
  return {
    onUp: ignore,
    onDown: ignore,
    onAnswer: ignore,
    onFailure: ignore,
    onTrouble: ignore,
    onTroubleOver: ignore,
    ...told,
  };
}
