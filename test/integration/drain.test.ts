import { setTimeout as sleep } from 'node:timers/promises';
import { rawPost } from '../front/raw-http';
import { runLoad } from '../support/load-client';
import type { Ledger } from '../support/ledger';
import { echoMix } from '../support/load-mix';
import { RawClient } from '../support/load-raw-client';
import { ProxyProcess } from '../support/proxy-process';
import { bigResult, delay, drip, hang, ScriptedNode } from '../support/scripted-node';

const mix = echoMix.filter(({ method }) => method !== 'eth_blockNumber');

/**
 * A defect found here, and repaired: connections that the kernel had made and the process had not accepted yet were reset
 * with the listener, two to nine requests in each
 * drain; a connection on which nothing was ever sent held the process up for headersTimeoutMs.
 */
interface Bed {
  readonly node: ScriptedNode;
  readonly proxy: ProxyProcess;
  readonly close: () => Promise<void>;
}

async function start(listen: object, failover: object = {}): Promise<Bed> {
  const node = await ScriptedNode.start();
  const proxy = await ProxyProcess.start({
    listen,
    chains: { test: { chainId: 1337, failover, nodes: [{ name: 'a', url: node.url }] } },
  });
  await proxy.untilNode('a', ({ health }) => health === 'up');
  return {
    node,
    proxy,
    close: async () => {
      proxy.signal('SIGKILL');
      await proxy.exited;
      await node.close();
    },
  };
}

let asked = 0;
function read(method = 'eth_call'): string {
  const data = `0x${(++asked).toString(16).padStart(40, '0')}`;
  const params = method === 'eth_call' ? `[{"data":"${data}"},"latest"]` : `[{"fromBlock":"0x1","address":"${data}"}]`;
  return `{"jsonrpc":"2.0","id":${asked},"method":"${method}","params":${params}}`;
}

/** What ended neither well nor because nobody listened any more, or the test was over. */
function lost(ledger: Ledger): unknown[] {
  return ledger.failures().filter(({ outcomes: [settled] }) => {
    if (settled?.outcome.kind === 'clientAbort') return false;
    return settled?.outcome.kind !== 'networkError' || settled.outcome.code !== 'ECONNREFUSED';
  });
}

describe('SIGTERM', () => {
  it('under load loses nothing that was accepted', async () => {
    const { node, proxy, close } = await start({ drainTimeoutMs: 20_000 });
    try {
      // Some answers at once, some after the drain began.
      let turn = 0;
      node.on(({ method }) => (method === 'eth_call' && turn++ % 5 === 0 ? delay(700) : undefined));
      const stop = new AbortController();
      const running = runLoad({
        url: proxy.url,
        clients: 16,
        mix,
        ids: 'tricky',
        durationMs: 20_000,
        signal: stop.signal,
      });
      await node.received('eth_call', 30);
      proxy.signal('SIGTERM');
      const { code, output } = await proxy.exited;
      stop.abort();
      const ledger = await running;
      expect(code).toBe(0);
      expect(output).toContain('"clean":true');
      expect(lost(ledger)).toEqual([]);
      expect(ledger.checkL2()).toEqual([]);
      // It was a load, and its clients did find the door closed.
      const { outcomes } = ledger.summary();
      expect(outcomes.result).toBeGreaterThan(100);
      expect(outcomes.networkError).toBeGreaterThanOrEqual(16);
    } finally {
      await close();
    }
  }, 30_000);

  it('reports not ready at once, and serves on for drainDelayMs with Connection: close', async () => {
    const { proxy, close } = await start({ drainDelayMs: 600, drainTimeoutMs: 10_000 });
    try {
      const kept = new RawClient(proxy.url);
      kept.send(rawPost(read()));
      await kept.until((received) => received.includes('result'));
      expect(kept.received.toLowerCase()).toContain('connection: keep-alive');
      const startedAt = performance.now();
      proxy.signal('SIGTERM');
      await proxy.until(({ draining, ready }) => draining && !ready);
      for (const url of [proxy.url, proxy.adminUrl]) expect((await fetch(`${url}/readyz`)).status).toBe(503);
      expect((await fetch(`${proxy.adminUrl}/livez`)).status).toBe(200);
      // A new connection, and one that was there before.
      const response = await proxy.post(read());
      expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
      expect(await response.json()).toHaveProperty('result');
      kept.send(rawPost(read()));
      await kept.until((_received, end) => end !== 'open');
      expect(kept.received.match(/"result"/g)).toHaveLength(2);
      expect(kept.received.toLowerCase()).toContain('connection: close');
      kept.close();
      const { code } = await proxy.exited;
      expect(code).toBe(0);
      expect(performance.now() - startedAt).toBeGreaterThan(590);
    } finally {
      await close();
    }
  }, 20_000);

  it('lets streams, slow answers, half-sent requests and pipelined ones end as they should', async () => {
    const { node, proxy, close } = await start({ drainTimeoutMs: 20_000 });
    try {
      node.on('eth_getLogs', bigResult(30 * 2 ** 20));
      node.on('eth_call', delay(1200));
      const [stream, slow, half, pipelined] = [1, 2, 3, 4].map(() => new RawClient(proxy.url));
      if (!stream || !slow || !half || !pipelined) throw new Error('four clients');
      stream.send(rawPost(read('eth_getLogs')));
      await stream.until((received) => received.length > 100_000);
      stream.pause();
      slow.send(rawPost(read()));
      const whole = rawPost(read());
      half.send(whole.subarray(0, -10));
      pipelined.send(Buffer.concat([rawPost(read()), rawPost(read())]));
      await node.received('eth_call', 2);
      proxy.signal('SIGTERM');
      await proxy.until(({ draining }) => draining);
      await sleep(100);
      half.send(whole.subarray(-10));
      stream.pause(false);
      await Promise.all([stream, slow, half, pipelined].map((one) => one.until((_received, end) => end !== 'open')));
      expect(stream.received.endsWith('\r\n0\r\n\r\n')).toBe(true);
      expect(stream.received.length).toBeGreaterThan(30 * 2 ** 20);
      for (const one of [slow, half]) expect(one.received).toContain('"result"');
      // The first answer says that the connection closes, so the client knows to send the second request again.
      expect(pipelined.received).toMatch(/connection: close[^]*"result"/i);
      expect((await proxy.exited).code).toBe(0);
      for (const one of [stream, slow, half, pipelined]) one.close();
    } finally {
      await close();
    }
  }, 30_000);

  it('waits no longer than drainTimeoutMs for what does not end, and says so', async () => {
    const { node, proxy, close } = await start({ drainTimeoutMs: 700 });
    try {
      node.on('eth_call', hang());
      const client = new RawClient(proxy.url);
      client.send(rawPost(read()));
      await node.received('eth_call');
      const startedAt = performance.now();
      proxy.signal('SIGTERM');
      const { code, output } = await proxy.exited;
      expect(performance.now() - startedAt).toBeGreaterThan(650);
      expect(performance.now() - startedAt).toBeLessThan(5000);
      expect(code).toBe(1);
      expect(output).toContain('"clean":false');
      await client.until((_received, end) => end !== 'open');
      expect(client.received).toBe('');
      client.close();
    } finally {
      await close();
    }
  }, 20_000);

  it('sent twice ends the process at once', async () => {
    const { node, proxy, close } = await start({ drainTimeoutMs: 60_000 });
    try {
      node.on('eth_call', drip({ bytesPerTick: 1, everyMs: 100 }));
      const client = new RawClient(proxy.url);
      client.send(rawPost(read()));
      await node.received('eth_call');
      proxy.signal('SIGTERM');
      await proxy.until(({ draining }) => draining);
      proxy.signal('SIGTERM');
      expect((await proxy.exited).code).toBe(1);
      client.close();
    } finally {
      await close();
    }
  }, 20_000);

  it.each(['SIGTERM', 'SIGINT'] as const)(
    '(as %s) ends an idle process with 0, and all its connections',
    async (name) => {
      const { proxy, close } = await start({});
      try {
        const idle = new RawClient(proxy.url);
        idle.send(rawPost(read()));
        await idle.until((received) => received.includes('result'));
        const silent = new RawClient(proxy.url);
        await proxy.until(({ connections }) => connections === 2);
        proxy.signal(name);
        expect((await proxy.exited).code).toBe(0);
        await Promise.all([idle, silent].map((one) => one.until((_received, end) => end !== 'open')));
        idle.close();
        silent.close();
      } finally {
        await close();
      }
    },
    20_000,
  );
});
