import { createHash } from 'node:crypto';

/** A Lua script that Redis runs in one step (https://redis.io/docs/latest/develop/programmability/eval-intro/). */
export interface Script {
  readonly lua: string;
  /** By which Redis knows it once it has seen it. */
  readonly sha: string;
}

export function createScript(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}
