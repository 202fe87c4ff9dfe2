import { execFile } from 'node:child_process';
import { Client } from 'undici';

/** Requests per second that wrk gets through in `seconds`, with 32 connections. */
export async function throughput(script: string, url: string, seconds: number): Promise<number> {
  const args = ['-c', '1', 'wrk', '-t1', '-c32', `-d${seconds}s`, '-s', script, url];
  const output = await new Promise<string>((resolve, reject) => {
    execFile('taskset', args, (error, stdout) => (error ? reject(new Error(error.message)) : resolve(stdout)));
  });
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1];
  const bad = /Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)/.exec(output)?.[0];
  if (rate === undefined || bad !== undefined) throw new Error(`wrk against ${url}: ${bad ?? output}`);
  return Number(rate);
}

/** Latencies in milliseconds at a fixed rate, each counted from when its request was due. */
export async function latencies(url: string, body: string, perSecond: number, seconds: number): Promise<number[]> {
  const clients = Array.from({ length: 16 }, () => new Client(new URL(url).origin));
  const taken: number[] = [];
  const startedAt = performance.now();
  const pending: Promise<void>[] = [];
  for (let i = 0; i < perSecond * seconds; i++) {
    const due = startedAt + (i * 1000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const client = clients[i % clients.length];
    if (client === undefined) continue;
    const headers = { 'content-type': 'application/json' };
    pending.push(
      client.request({ path: new URL(url).pathname, method: 'POST', headers, body }).then(async (response) => {
        await response.body.dump();
        taken.push(performance.now() - Math.max(due, startedAt));
      }),
    );
  }
  await Promise.all(pending);
  await Promise.all(clients.map((client) => client.close()));
  return taken.sort((a, b) => a - b);
}

export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
