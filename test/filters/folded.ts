/** What a client holds that was told logs: those it was told and that were not taken back, oldest first. */
export class Folded {
  readonly logs: string[] = [];
  readonly problems: string[] = [];

  tell(changes: readonly string[]): void {
    for (const text of changes) {
      const { removed, ...rest } = JSON.parse(text) as Record<string, unknown>;
      const log = JSON.stringify(rest);
      const at = this.logs.lastIndexOf(log);
      if (removed !== true && at !== -1) this.problems.push(`told twice: ${log}`);
      else if (removed !== true) this.logs.push(log);
      else if (at !== this.logs.length - 1 || at === -1) this.problems.push(`taken back out of order: ${log}`);
      else this.logs.pop();
    }
  }
}

/** The same of logs as they stand in blocks. */
export function held(texts: readonly string[]): string[] {
  const folded = new Folded();
  folded.tell(texts);
  return folded.logs;
}
