import { quantile, throughput } from './load';

export interface Race {
  readonly name: string;
  /** Who is measured, by name. */
  readonly targets: Readonly<Record<string, Target>>;
  /** The one that the others are told as a share of. */
  readonly peer: string;
}

export interface Target {
  readonly url: string;
  /** What wrk sends: the path of a Lua script. */
  readonly script: string;
}

export interface Pace {
  readonly rounds: number;
  /** Of each target in each round. */
  readonly seconds: number;
}

/** Drives targets in turn and several times, so that what else the machine does hits all, and prints a line. */
export async function race({ name, targets, peer }: Race, { rounds, seconds }: Pace): Promise<void> {
  const rates: Record<string, number[]> = {};
  for (let round = -1; round < rounds; round++) {
    for (const [target, { script, url }] of Object.entries(targets)) {
      const rate = await throughput(script, url, round < 0 ? 1 : seconds);
      // The first round warms everything up.
      if (round >= 0) (rates[target] ??= []).push(rate);
    }
  }
  const best = median(rates[peer] ?? []);
  const cells = Object.entries(rates).map(([target, all]) => {
    const share = target === peer ? '' : ` = ${(median(all) / best).toFixed(3)}`;
    return `${target} ${median(all).toFixed(0)}/s (${Math.min(...all).toFixed(0)}–${Math.max(...all).toFixed(0)})${share}`;
  });
  console.log(`${name.padEnd(14)} ${cells.join('   ')}`);
}

function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}
