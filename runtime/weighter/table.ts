import type { RoundReport, ServerReport } from './round-report';
import { nameOf } from './targets';

const HEAD = ['server', 'block lag', 'block age', 'latency', 'weight', 'should be', 'why'];

/** What a round would do, for people: one line a server. */
export function toTable({ servers, view, at }: RoundReport): string {
  const weights = new Map(view?.servers.map((state) => [nameOf(state), String(state.weight)]));
  const rows = servers.map((one) => {
    const { target, result, weighing } = one;
    const { observation } = result;
    const measured = observation.answered
      ? [
          String(newestOf(one, servers) - observation.blockNumber),
          `${Math.round((at - observation.blockTime) / 1000)} s`,
          `${Math.round(observation.latencyMs)} ms`,
        ]
      : ['-', '-', '-'];
    const current = weights.get(nameOf(target)) ?? '-';
    return [nameOf(target), ...measured, current, String(weighing.weight), weighing.reason];
  });
  const lines = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      `${line.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join('  ')}\n`.replace(/ +\n/, '\n'),
    )
    .join('');
}

/** Numbers to the right, names and reasons to the left. */
function pad(cell: string, width: number, column: number): string {
  return column === 0 || column === HEAD.length - 1 ? cell.padEnd(width) : cell.padStart(width);
}

function newestOf({ target }: ServerReport, servers: readonly ServerReport[]): number {
  const numbers = servers.flatMap(({ target: other, result: { observation } }) =>
    other.backend === target.backend && observation.answered ? [observation.blockNumber] : [],
  );
  return Math.max(...numbers);
}
