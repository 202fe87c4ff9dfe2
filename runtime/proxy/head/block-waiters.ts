/** Requests that wait until some node shows a block that none had when they came. */
export class BlockWaiters {
  private waiting = new Set<() => void>();

  /** Resolves at the next `wake`, or after `ms`. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.waiting.add(end);
    });
  }

  wake(): void {
    for (const end of [...this.waiting]) end();
  }
}
