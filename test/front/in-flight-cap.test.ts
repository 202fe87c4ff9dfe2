import { InFlightCap } from '../../runtime/front/in-flight-cap';

describe('InFlightCap', () => {
  it('lets so many of one client in, and others besides', () => {
    const cap = new InFlightCap(2);
    expect([cap.tryEnter('a'), cap.tryEnter('a'), cap.tryEnter('a'), cap.tryEnter('b')]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    cap.leave('a');
    expect([cap.tryEnter('a'), cap.tryEnter('a')]).toEqual([true, false]);
  });

  it('has no bound at 0', () => {
    const cap = new InFlightCap(0);
    expect(Array.from({ length: 10_000 }, () => cap.tryEnter('a')).every(Boolean)).toBe(true);
  });
});
