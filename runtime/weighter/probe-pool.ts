import type { Probe, ProbeResult } from './ethers-probe';

/** One probe for each URL, however many servers it stands for; they are asked all at once, once a round. */
export class ProbePool {
  private probes: ReadonlyMap<string, Probe> = new Map();

  constructor(private readonly create: (url: string) => Probe) {}

  /** @returns the results by URL, after the time-out of one probe at the latest */
  async run(urls: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, ProbeResult>> {
    const before = this.probes;
    this.probes = new Map([...new Set(urls)].map((url) => [url, before.get(url) ?? this.create(url)]));
    for (const [url, probe] of before) if (!this.probes.has(url)) probe.close();
    return new Map(
      await Promise.all([...this.probes].map(async ([url, probe]) => [url, await probe.run(signal)] as const)),
    );
  }

  close(): void {
    for (const probe of this.probes.values()) probe.close();
  }
}
