import { createScript } from '../redis/script';

/*
 * A filter is one hash. Every key has a lifetime, which none of these shortens:
 *
 *     r          revision: a number that grows, and a mark
 *     m          all but the logs
 *     b<hash>    the logs that were told of that block
 *     x          in place of all of these: it was removed, and no copy may bring it back
 */

const KEEP = `
local function keep(ms)
  if redis.call('PTTL', KEYS[1]) < tonumber(ms) then redis.call('PEXPIRE', KEYS[1], ms) end
end`;

/** ARGV: the revision known here, the lifetime in ms. Tells `none`, `removed`, `same`, or revision and meta. */
export const READ = createScript(`${KEEP}
local got = redis.call('HMGET', KEYS[1], 'r', 'x', 'm')
if got[2] then return {'removed'} end
if not got[1] then return {'none'} end
keep(ARGV[2])
if got[1] == ARGV[1] then return {'same'} end
return {'other', got[1], got[3]}`);

/** ARGV: the revision it must have, the lifetime, how many fields are set, these and their values, and fields that go. */
export const REPLACE = createScript(`${KEEP}
if redis.call('HGET', KEYS[1], 'r') ~= ARGV[1] then return 0 end
local last = 3 + 2 * tonumber(ARGV[3])
redis.call('HSET', KEYS[1], unpack(ARGV, 4, last))
if #ARGV > last then redis.call('HDEL', KEYS[1], unpack(ARGV, last + 1)) end
keep(ARGV[2])
return 1`);

/** ARGV: the revision's number, the lifetime, all fields and their values. What is there and not older stays. */
export const PUT = createScript(`${KEEP}
local got = redis.call('HMGET', KEYS[1], 'r', 'x')
if got[2] then return 0 end
if got[1] and tonumber(string.match(got[1], '^%d+')) >= tonumber(ARGV[1]) then return 0 end
local life = redis.call('PTTL', KEYS[1])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], math.max(life, tonumber(ARGV[2])))
return 1`);

/** ARGV: how long it is remembered that it is gone; whether that is done though it is not there. Tells as READ does. */
export const REMOVE = createScript(`
local got = redis.call('HMGET', KEYS[1], 'r', 'x')
if got[2] then return 'removed' end
if got[1] or ARGV[2] == '1' then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'x', '1')
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return got[1] and 'other' or 'none'`);
