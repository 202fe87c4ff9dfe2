import { createScript } from '../redis/script';
import { FULL, tatLimitMs } from './gcra';
import type { ClientPolicy } from './limit-policy';
import type { Buckets } from './take';

/**
 * `takeAll` in Redis, in one step, by Redis's own clock. A client is a hash of TATs, milliseconds since the start of
 * 2026: numbers as small as that keep the fraction of a millisecond that high rates need. Within a question times count
 * from now, so they are the same numbers here and there.
 *
 *     ARGV  n, then for each of n buckets: its field, how far ahead its TAT may be (ms)
 *           then for each run of equal calls: how many, and twice: a bucket (0 is none), what a call takes of it (ms)
 *
 * Answers how far ahead of now the TATs were before, as text: whole numbers are all that Redis answers else. From these
 * the caller finds the decisions by the same arithmetic. A TAT further ahead than its bucket can reach (the clock of
 * Redis was set back, or other limits wrote it) is brought back, so nobody is locked out. What is no TAT, whoever wrote
 * it, is none: it would be refused for ever. The hash lives until all its buckets are full again, those it was not asked
 * for included.
 */
export const TAKE = createScript(`
local time = redis.call('TIME')
local now = (time[1] - 1767225600) * 1000 + time[2] / 1000
local count = tonumber(ARGV[1])
local fields, most = {}, { [0] = 0 }
for i = 1, count do
  fields[i], most[i] = ARGV[2 * i], tonumber(ARGV[2 * i + 1])
end
local known, ahead, told = redis.pcall('HMGET', KEYS[1], unpack(fields)), { [0] = 0 }, {}
if known.err then
  if not string.find(known.err, 'WRONGTYPE', 1, true) then return known end
  redis.call('DEL', KEYS[1])
  known = {}
end
local before = {}
for i = 1, count do
  local tat = known[i] and tonumber(known[i])
  before[i] = tat and math.max(0, tat - now) or 0
  ahead[i] = math.min(before[i], most[i])
  told[i] = string.format('%.17g', ahead[i])
end
for k = 2 * count + 2, #ARGV, 5 do
  local a, b = tonumber(ARGV[k + 1]), tonumber(ARGV[k + 3])
  local takesA, takesB = tonumber(ARGV[k + 2]), tonumber(ARGV[k + 4])
  for _ = 1, tonumber(ARGV[k]) do
    local afterA, afterB = ahead[a] + takesA, ahead[b] + takesB
    if afterA > most[a] or afterB > most[b] then break end
    ahead[a], ahead[b] = afterA, afterB
  end
end
local changed, rested = {}, 0
for i = 1, count do
  if ahead[i] ~= before[i] then
    changed[#changed + 1] = fields[i]
    changed[#changed + 1] = string.format('%.17g', now + ahead[i])
    rested = math.max(rested, ahead[i])
  end
end
if #changed > 0 then
  local lives = redis.call('PTTL', KEYS[1])
  redis.call('HSET', KEYS[1], unpack(changed))
  if lives <= rested then redis.call('PEXPIRE', KEYS[1], math.ceil(rested) + 1) end
end
return told
`);

/** A question to `TAKE`: what is asked, and whose TATs the answer holds. */
export interface Question {
  readonly args: readonly (string | number)[];
  readonly hasTotal: boolean;
  /** Of the methods' buckets, in the order of the answer. */
  readonly slots: readonly number[];
}

/** Everything Redis needs to know about the limits comes with the question: pods may be configured differently. */
export function toQuestion({ total, methods: rules }: ClientPolicy, methods: readonly string[]): Question {
  const fields: (string | number)[] = total ? [TOTAL_FIELD, tatLimitMs(total)] : [];
  const slots: number[] = [];
  const runs: number[] = [];
  const firstSlot = total ? 2 : 1;
  for (let i = 0; i < methods.length;) {
    const method = methods[i] ?? '';
    const start = i;
    while (i < methods.length && methods[i] === method) i++;
    const rule = rules.get(method);
    let own = 0;
    if (rule?.bucket !== undefined) {
      own = slots.indexOf(rule.slot) + firstSlot;
      if (own < firstSlot) {
        own = slots.push(rule.slot) - 1 + firstSlot;
        fields.push(methodField(method), tatLimitMs(rule.bucket));
      }
    }
    const takes = total ? (rule?.cost ?? 1) * total.intervalMs : 0;
    runs.push(i - start, total ? 1 : 0, takes, own, rule?.bucket?.intervalMs ?? 0);
  }
  return { args: [fields.length / 2, ...fields, ...runs], hasTotal: total !== undefined, slots };
}

/**
 * The buckets as Redis had them before it decided, on a clock that is 0 at that moment.
 *
 * @returns undefined for what is no answer to this question
 */
export function toBuckets(policy: ClientPolicy, { hasTotal, slots }: Question, answer: unknown): Buckets | undefined {
  if (!Array.isArray(answer) || answer.length !== slots.length + (hasTotal ? 1 : 0)) return undefined;
  const told = answer.map(Number);
  const methods = new Array<number>(policy.methods.size).fill(FULL);
  const first = hasTotal ? 1 : 0;
  for (const [index, slot] of slots.entries()) methods[slot] = told[first + index] ?? FULL;
  return { policy, total: hasTotal ? (told[0] ?? FULL) : FULL, methods, restedAt: FULL };
}

const TOTAL_FIELD = 't';

/** No method's name holds a colon. */
function methodField(method: string): string {
  return `m:${method}`;
}
