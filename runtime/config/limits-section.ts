import * as form from './forms';
import { dictionary, flag, list, oneOf, section, text, whole } from './keys';
import { MINUTE_MS } from './units';

/** More a minute than any process answers; keeps the limiter's arithmetic exact. */
const MAX_PER_MINUTE = 1_000_000_000;

/** The burst of a limit that sets none: ten seconds' worth, and never so little that one page load is refused. */
export function defaultBurst(perMinute: number): number {
  return Math.max(20, Math.floor(perMinute / 6));
}

const DEFAULT_BURST_TEXT = 'perMinute / 6, at least 20';

const rateKeys = {
  perMinute: whole(
    1,
    MAX_PER_MINUTE,
    'Units a client may use per minute; a request costs 1 unless `cost` tells otherwise.',
    {
      whenUnset: 'no limit',
    },
  ).optional(),
  burst: whole(1, MAX_PER_MINUTE, 'Units at once; needs perMinute.', { whenUnset: DEFAULT_BURST_TEXT }).optional(),
};

const methodRates = dictionary(
  'method limits',
  [form.methodName],
  section('The limit of one method.', {
    perMinute: whole(1, MAX_PER_MINUTE, 'Calls of this method per minute, whatever they cost.'),
    burst: whole(1, MAX_PER_MINUTE, 'Calls at once.', { whenUnset: DEFAULT_BURST_TEXT }).optional(),
  }),
  'Limits of single methods; they hold besides the total.',
);

export const limits = section('How much one client may ask for, over all chains. Off unless a rate is set.', {
  ...rateKeys,
  methods: methodRates.prefault({}),
  cost: dictionary(
    'units',
    [form.methodName],
    whole(0, MAX_PER_MINUTE, 'Units a call of this method takes of the total; 0 is free.'),
    'What a call takes of the total, by method; others take 1. At most the burst, else no call would pass.',
  ).prefault({}),
  overrides: list(
    'overrides',
    section('Other limits for some clients.', {
      cidrs: list(
        'networks',
        text(form.network, 'A network or an address.'),
        'Clients meant. Clients are told apart by /64 in IPv6, so a smaller network means its whole /64.',
        1,
      ),
      ...rateKeys,
      methods: methodRates.optional(),
      unlimited: flag('Lift all limits; then no other limit may be set here.').default(false),
    }),
    'Read in order, the first that holds the client counts; what it leaves out is as for everybody.',
  ).default([]),
  redisTimeoutMs: whole(
    1,
    MINUTE_MS,
    'Milliseconds Redis may take to decide, where it is configured; then `onRedisFailure` decides.',
  ).default(50),
  onRedisFailure: oneOf(
    ['local', 'open', 'closed'],
    'Without Redis: `local`, each process applies the whole limit; `open`, nothing is limited; `closed`, whoever has a limit is refused.',
  ).default('local'),
});
