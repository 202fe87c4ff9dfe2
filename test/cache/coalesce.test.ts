import { Cancellation } from '../../runtime/util/cancellation';
import { Coalescer, type Shared, type Waiter } from '../../runtime/cache/coalesce';

class Work {
  started = 0;
  shared: Shared | undefined;
  private resolve!: (value: string) => void;
  private reject!: (error: Error) => void;

  readonly start = (shared: Shared): Promise<string> => {
    this.started++;
    this.shared = shared;
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  };

  finish(value: string): void {
    this.resolve(value);
  }

  fail(error: Error): void {
    this.reject(error);
  }
}

const waiters: { leave: () => void }[] = [];

afterEach(() => {
  for (const one of waiters.splice(0)) one.leave();
});

function waiter(ms = 10_000): Waiter & { leave: () => void } {
  const cancel = new Cancellation();
  const made = { deadline: performance.now() + ms, cancel, leave: () => cancel.cancel() };
  waiters.push(made);
  return made;
}

describe('Coalescer', () => {
  it('runs identical work once for all who wait', async () => {
    const flights = new Coalescer<string>();
    const work = new Work();
    const waiting = Array.from({ length: 5000 }, () => flights.join('k', waiter(), work.start));
    work.finish('x');
    const ends = await Promise.all(waiting);
    expect(work.started).toBe(1);
    expect(ends.every((end) => end.kind === 'done' && end.value === 'x')).toBe(true);
    expect(flights.size).toBe(0);
  });

  it('runs different work apart, and the same again once it is over', async () => {
    const flights = new Coalescer<string>();
    const work = new Work();
    const first = flights.join('a', waiter(), work.start);
    work.finish('1');
    await first;
    void flights.join('a', waiter(), work.start);
    void flights.join('b', waiter(), work.start);
    expect(work.started).toBe(3);
  });

  it('goes on for the others when the first leaves', async () => {
    const flights = new Coalescer<string>();
    const work = new Work();
    const first = waiter();
    const left = flights.join('k', first, work.start);
    const stays = flights.join('k', waiter(), work.start);
    first.leave();
    expect(await left).toEqual({ kind: 'late' });
    expect(work.shared?.cancel.cancelled).toBe(false);
    work.finish('x');
    expect(await stays).toMatchObject({ kind: 'done', value: 'x' });
  });

  it('is given up when nobody waits any more, and then begun anew', async () => {
    const flights = new Coalescer<string>();
    const work = new Work();
    const both = [waiter(), waiter()];
    const joined = both.map((one) => flights.join('k', one, work.start));
    for (const one of both) one.leave();
    await Promise.all(joined);
    expect(work.shared?.cancel.cancelled).toBe(true);
    void flights.join('k', waiter(), work.start);
    expect(work.started).toBe(2);
  });

  it('lives to the deadline of its latest waiter, while each goes at its own', async () => {
    const flights = new Coalescer<string>();
    const work = new Work();
    const short = flights.join('k', waiter(20), work.start);
    const patient = waiter(60_000);
    const long = flights.join('k', patient, work.start);
    expect(work.shared?.deadline).toBe(patient.deadline);
    expect(await short).toEqual({ kind: 'late' });
    work.finish('x');
    expect(await long).toMatchObject({ kind: 'done' });
  });

  it('gives its failure to everyone, and keeps nothing of it', async () => {
    const flights = new Coalescer<string>();
    const work = new Work();
    const joined = [flights.join('k', waiter(), work.start), flights.join('k', waiter(), work.start)];
    work.fail(new Error('no'));
    for (const one of joined) await expect(one).rejects.toThrow('no');
    expect(flights.size).toBe(0);
  });

  it('takes in nobody who has left already', async () => {
    const flights = new Coalescer<string>();
    const gone = waiter();
    gone.leave();
    const work = new Work();
    expect(await flights.join('k', gone, work.start)).toEqual({ kind: 'late' });
    expect(work.shared?.cancel.cancelled).toBe(true);
  });
});
