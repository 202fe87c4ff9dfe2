import { type Cancel, Cancellation } from '../util/cancellation';

/** Who waits for a shared answer. */
export interface Waiter {
  /** On the clock of performance.now(). */
  readonly deadline: number;
  /** Cancelled when this one does not wait any more. */
  readonly cancel: Cancel;
}

/** The work that several wait for: it lives until the last of them has left, or the latest deadline. */
export interface Shared {
  /** Moves back as waiters with later deadlines join. */
  readonly deadline: number;
  /** Cancelled when nobody waits any more. */
  readonly cancel: Cancel;
}

/** What a waiter gets: the answer, or that its own time was over first. */
export type Joined<T> =
  { readonly kind: 'done'; readonly value: T; readonly first: boolean } | { readonly kind: 'late' };

/**
 * Runs identical work once for all who ask while it is under way. Nobody depends on who came first: a waiter that
 * leaves cancels nothing for the others, each waits to its own deadline, and the end, good or bad, is everyone's.
 */
export class Coalescer<T> {
  private readonly flights = new Map<string, Flight<T>>();

  /** Work under way. */
  get size(): number {
    return this.flights.size;
  }

  /** @param start begins the work; called only where none is under way */
  join(key: string, waiter: Waiter, start: (shared: Shared) => Promise<T>): Promise<Joined<T>> {
    const running = this.flights.get(key);
    if (running?.join(waiter) === true) return running.wait(waiter, false);
    const flight = new Flight<T>(waiter);
    this.flights.set(key, flight);
    flight.run(start, () => {
      if (this.flights.get(key) === flight) this.flights.delete(key);
    });
    return flight.wait(waiter, true);
  }
}

class Flight<T> implements Shared {
  deadline: number;
  readonly cancel = new Cancellation();
  private waiting = 1;
  private work!: Promise<T>;

  constructor(first: Waiter) {
    this.deadline = first.deadline;
  }

  /** @returns false when everybody has left and the work is being given up */
  join({ deadline }: Waiter): boolean {
    if (this.cancel.cancelled) return false;
    this.waiting++;
    if (deadline > this.deadline) this.deadline = deadline;
    return true;
  }

  run(start: (shared: Shared) => Promise<T>, onEnd: () => void): void {
    this.work = start(this).finally(onEnd);
  }

  wait({ deadline, cancel }: Waiter, first: boolean): Promise<Joined<T>> {
    return new Promise((resolve, reject) => {
      const release = (): void => {
        clearTimeout(timer);
        cancel.remove(leave);
      };
      const leave = (): void => {
        release();
        resolve({ kind: 'late' });
        if (--this.waiting === 0) this.cancel.cancel();
      };
      const timer = setTimeout(leave, Math.max(0, deadline - performance.now()));
      cancel.add(leave);
      this.work.then(
        (value) => {
          release();
          resolve({ kind: 'done', value, first });
        },
        (error: unknown) => {
          release();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
      if (cancel.cancelled) leave();
    });
  }
}
