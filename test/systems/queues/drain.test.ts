import { drainUntil, look, notLooked } from '../../../systems/queues/drain';
import type { QueuePort, QueueReading } from '../../../systems/queues/port';
import { SystemFault } from '../../../systems/ports';

const reading = (ready: number, unacked = 0, deadLetters = 0): QueueReading => ({ ready, unacked, deadLetters });

/** Reads the given values one after the other, the last one for ever; an Error is thrown. */
function scripted(...values: (QueueReading | Error)[]): QueuePort {
  let at = 0;
  return {
    read: () => {
      const value = values[Math.min(at++, values.length - 1)]!;
      return value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
    },
    leftovers: () => Promise.resolve({ count: 0, customers: [], withoutCustomer: 0 }),
  };
}

function clock(): { now(): number; sleep(ms: number): Promise<void>; looks: number } {
  let at = 0;
  const it = { now: () => at, looks: 0, sleep: (ms: number) => ((at += ms), it.looks++, Promise.resolve()) };
  return it;
}
const drain = (ports: Record<string, QueuePort>, deadline: number, at = clock()) =>
  drainUntil(ports, { wave: 1, deadline, everyMs: 10 }, at);

test('drained means empty twice in a row: work that moves from ready to taken in between does not count as gone', async () => {
  const flickering = scripted(reading(0), reading(0, 1), reading(0), reading(0));
  const at = clock();
  expect((await drain({ q: flickering }, 1_000, at)).drained).toBe(true);
  expect(at.looks).toBe(3);
});

test('taken and unfinished work is open, dead letters are not', () => {
  expect(look(notLooked, { a: reading(0, 1) }, 0).emptyInARow).toBe(0);
  expect(look(notLooked, { a: reading(0, 0, 9) }, 0).emptyInARow).toBe(1);
  expect(look(notLooked, { a: reading(0), b: reading(1) }, 0).emptyInARow).toBe(0);
});

test('the forecast follows the pace so far, and there is none while nothing shrinks', () => {
  const first = look(notLooked, { a: reading(100) }, 1_000);
  expect(first.expectedAt).toBeNull();
  expect(look(first, { a: reading(75) }, 2_000).expectedAt).toBe(5_000);
  expect(look(first, { a: reading(120) }, 2_000).expectedAt).toBeNull();
});

test('at the deadline what is left is said; a look that was empty gets its second one', async () => {
  expect(await drain({ q: scripted(reading(3)) }, 50)).toMatchObject({ drained: false, open: { q: reading(3) } });
  expect((await drain({ q: scripted(reading(3), reading(0)) }, 10)).drained).toBe(true);
});

test('a queue that cannot be read now is asked again and never taken for empty; a fault for good ends the drain', async () => {
  const away = new SystemFault('away', true);
  const at = clock();
  expect((await drain({ q: scripted(reading(0), away, reading(0), reading(0)) }, 1_000, at)).drained).toBe(true);
  expect(at.looks).toBe(3);
  await expect(drain({ q: scripted(away) }, 50)).rejects.toBe(away);
  await expect(drain({ q: scripted(new SystemFault('no such queue', false)) }, 50)).rejects.toThrow('no such queue');
});

test('a broker whose counts may be old is looked at again only when they must have been counted anew', async () => {
  const at = clock();
  const old = { ...scripted(reading(2), reading(0), reading(0)), staleMs: 700 };
  expect((await drain({ q: old }, 1_000, at)).drained).toBe(true);
  expect(at.now()).toBe(710);
});
