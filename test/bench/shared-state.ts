import type { Bed, ProxyVariant } from './processes';
import { type Pace, race, type Target } from './race';
import { call, callsScript, constantScript } from './scripts';

/** High enough that nobody is ever limited: what is measured is the deciding. */
const LIMITS = { perMinute: 1_000_000_000, burst: 1_000_000_000 };
/** Different ones, so that they are not one request under way. */
const CALLS = 1000;

/** What sharing costs: the same requests with nothing shared, with each stage in the process, and with it in Redis. */
export async function measureSharedState(bed: Bed, stub: number, pace: Pace): Promise<void> {
  const redis = { url: `redis://127.0.0.1:${await bed.redis()}` };
  const at = async (variant: ProxyVariant): Promise<string> => `http://127.0.0.1:${await bed.proxy(stub, variant)}/`;
  const plain = await at({});

  const constant = constantScript(bed, 'limits', call(1, 'net_listening'));
  const limited = async (variant: ProxyVariant): Promise<Target> => ({ url: await at(variant), script: constant });
  await race(
    {
      name: 'limits',
      targets: {
        none: { url: plain, script: constant },
        'in the process': await limited({ config: { limits: LIMITS } }),
        'in Redis': await limited({ config: { limits: LIMITS, redis } }),
      },
      peer: 'none',
    },
    pace,
  );

  const calls = callsScript(bed, CALLS);
  const cached = async (variant: ProxyVariant): Promise<Target> => ({ url: await at(variant), script: calls });
  await race(
    {
      name: 'cache',
      targets: {
        none: await cached({ chain: { cache: { maxBytes: 0 } } }),
        'hit in the process': { url: plain, script: calls },
        // One byte of memory holds nothing, so that every hit is one of Redis.
        'hit in Redis': await cached({ config: { redis }, chain: { cache: { maxBytes: 1 } } }),
      },
      peer: 'none',
    },
    pace,
  );

  const height = constantScript(bed, 'height', call(1, 'eth_blockNumber'));
  await race(
    {
      name: 'filter poll',
      targets: {
        'eth_blockNumber instead': { url: plain, script: height },
        'in the process': await polled(bed, plain, 'poll'),
        'in Redis': await polled(bed, await at({ config: { redis } }), 'poll-redis'),
      },
      peer: 'eth_blockNumber instead',
    },
    pace,
  );
}

async function polled(bed: Bed, url: string, name: string): Promise<Target> {
  const response = await fetch(url, { method: 'POST', body: call(1, 'eth_newBlockFilter') });
  const { result, error } = (await response.json()) as { result?: string; error?: unknown };
  if (result === undefined) throw new Error(`no filter: ${JSON.stringify(error)}`);
  return { url, script: constantScript(bed, name, call(1, 'eth_getFilterChanges', [result])) };
}
