/** Samples kept of each node; the median of them is its estimate. */
const WINDOW = 31;
/** A node's estimate counts from this many samples on. */
const ENOUGH = 3;
const SHORTEST_MS = 50;
/** An idle chain says nothing of its pace; longer waits count as this. */
const LONGEST_MS = 60_000;

interface Progress {
  /** The newest block, undefined after an interruption. */
  number: number | undefined;
  /** When `number` arrived; undefined while it is not known how long the node had it before it was asked. */
  arrivedAt: number | undefined;
  readonly samples: number[];
}

/**
 * Learns a chain's block time from when blocks arrive, because timestamps are whole seconds and blocks need not be.
 * Each node is watched for itself and the median is taken twice, over a node's samples and over the nodes, so that
 * neither a single jump nor a single node that makes up blocks moves it.
 */
export class BlockTime {
  private readonly nodes = new Map<string, Progress>();
  private learned: number;

  /** @param startMs the block time until it is learned */
  constructor(startMs: number) {
    this.learned = startMs;
  }

  /** Milliseconds from one block to the next, between 50 and 60 000 once learned. */
  get ms(): number {
    return this.learned;
  }

  /** @param number the node's newest block, seen at `now` (ms); blocks at or below its last change nothing */
  observe(node: string, number: number, now: number): void {
    const progress = this.nodes.get(node);
    if (progress?.number === undefined) {
      this.nodes.set(node, { number, arrivedAt: undefined, samples: progress?.samples ?? [] });
      return;
    }
    if (number <= progress.number) return;
    if (progress.arrivedAt !== undefined) {
      const ms = (now - progress.arrivedAt) / (number - progress.number);
      progress.samples.push(Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ms)));
      if (progress.samples.length > WINDOW) progress.samples.shift();
      this.learn();
    }
    progress.number = number;
    progress.arrivedAt = now;
  }

  /** The node's next block is not a continuation: it was away, restarted, or fell behind. What it taught stays. */
  interrupt(node: string): void {
    const progress = this.nodes.get(node);
    if (progress === undefined) return;
    progress.number = undefined;
    progress.arrivedAt = undefined;
  }

  remove(node: string): void {
    this.nodes.delete(node);
  }

  private learn(): void {
    const estimates = [...this.nodes.values()].filter((node) => node.samples.length >= ENOUGH).map(medianOfSamples);
    this.learned = median(estimates) ?? this.learned;
  }
}

function medianOfSamples(progress: Progress): number {
  return median(progress.samples) ?? LONGEST_MS;
}

/** Of an even number the upper one: of two nodes that differ, the calmer is believed. */
function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
