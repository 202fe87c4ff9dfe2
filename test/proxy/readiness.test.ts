import { Readiness } from '../../runtime/proxy/readiness';

const GRACE_MS = 1000;

function readiness() {
  const world = { canServe: false, now: 0 };
  const subject = new Readiness(
    GRACE_MS,
    () => world.canServe,
    () => world.now,
  );
  return { world, subject };
}

describe('readiness', () => {
  it('comes with the first node that can serve, and stays when that is gone', () => {
    const { world, subject } = readiness();
    subject.open();
    expect(subject.ready).toBe(false);
    world.canServe = true;
    expect(subject.ready).toBe(true);
    world.canServe = false;
    expect(subject.ready).toBe(true);
  });

  it('comes without a node when the grace is over', () => {
    const { world, subject } = readiness();
    subject.open();
    world.now = GRACE_MS - 1;
    expect(subject.ready).toBe(false);
    world.now = GRACE_MS;
    expect(subject.ready).toBe(true);
  });

  // The admin port answers first. Who was told so there came a moment too early, and was refused.
  it('does not come before clients can connect', () => {
    const { world, subject } = readiness();
    world.canServe = true;
    expect(subject.ready).toBe(false);
    subject.open();
    expect(subject.ready).toBe(true);
  });

  it('ends with draining, for good', () => {
    const { world, subject } = readiness();
    world.canServe = true;
    subject.open();
    subject.drain();
    expect(subject.ready).toBe(false);
    expect(subject.isDraining).toBe(true);
  });
});
