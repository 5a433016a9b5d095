interface Event {
  at: number;
  order: number;
  run: () => void;
  /** True once nobody waits for it: it is dropped without moving the clock. */
  dead: () => boolean;
}

interface Waiter {
  holds: () => boolean;
  resolve: (met: boolean) => void;
  settled: boolean;
}

const alive = (): boolean => false;
/** A tick comes after every promise that is ready, and those that become ready by them, and costs no trip to the kernel. */
const turn = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/**
 * Virtual time. Events run one after the other in order of their instant; between two of them everything that promises
 * have made ready is done, so a run depends on nothing but its seed.
 */
export class Clock {
  private readonly heap: Event[] = [];
  private readonly waiters = new Set<Waiter>();
  private order = 0;
  private touched = false;
  events = 0;

  constructor(public now: number) {}

  after(ms: number, run: () => void, dead: () => boolean = alive): void {
    this.push({ at: this.now + Math.max(0, ms), order: this.order++, run, dead });
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Something a waiter may look at has changed. */
  touch(): void {
    this.touched = true;
  }

  until(holds: () => boolean, deadline: number | null): Promise<boolean> {
    if (holds()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter: Waiter = { holds, resolve, settled: false };
      this.waiters.add(waiter);
      if (deadline !== null)
        this.after(
          deadline - this.now,
          () => this.settle(waiter, false),
          () => waiter.settled,
        );
    });
  }

  /** Runs until `ended` or until nothing is left to happen; `each` is called before every event. */
  async run(ended: () => boolean, each: () => void): Promise<void> {
    await this.drain();
    while (!ended()) {
      const event = this.pop();
      if (!event) return;
      if (event.dead()) continue;
      this.now = Math.max(this.now, event.at);
      this.events++;
      each();
      event.run();
      await this.drain();
    }
  }

  private async drain(): Promise<void> {
    await turn();
    while (this.touched) {
      this.touched = false;
      for (const waiter of this.waiters) if (waiter.holds()) this.settle(waiter, true);
      await turn();
    }
  }

  private settle(waiter: Waiter, met: boolean): void {
    if (waiter.settled) return;
    waiter.settled = true;
    this.waiters.delete(waiter);
    this.touched = true;
    waiter.resolve(met);
  }

  private push(event: Event): void {
    const { heap } = this;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (before(heap[parent]!, event)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  private pop(): Event | undefined {
    const { heap } = this;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (before(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

const before = (a: Event, b: Event): boolean => (a.at === b.at ? a.order < b.order : a.at < b.at);
