import type { Counts } from './counts';
import type { CustodyView, Seen } from './custody-view';
import { ENTITIES, type SeenCustody } from './journal';
import { isRequest, KINDS, operationOf, WEIGHTS, WRITERS, type Kind } from './kinds';
import type { Random } from './random';

/** What the demo asserts of every kind in every custody state, with some to spare (DESIGN §11). */
const ENOUGH_OF_A_KIND = 26;
const ENOUGH_HELD = 240;
const CANDIDATES = 40;

export interface Choice extends Seen {
  kind: Kind;
  /** Customers in the same custody; the first fits when any does. Empty for a customer who is to be won. */
  candidates: string[];
}

/** The customers traffic knows: the legacy system's, and those it won. */
export class Customers {
  private readonly all: string[];
  /** Won by this traffic and untouched since: they may still withdraw. */
  private readonly fresh: string[] = [];

  constructor(initial: readonly string[]) {
    this.all = [...initial];
  }

  add(customer: string, mayWithdraw: boolean): void {
    (mayWithdraw ? this.fresh : this.all).push(customer);
  }

  forgetFresh(customer: string): void {
    const index = this.fresh.indexOf(customer);
    if (index >= 0) this.fresh.splice(index, 1);
  }

  sample(random: Random, count: number): string[] {
    return random.sample(this.all, count);
  }

  /** Those of whom some may withdraw; none while no more than `left` would be left. */
  withdrawing(random: Random, left: number): string[] {
    return this.fresh.length > left ? random.sample(this.fresh, 5) : [];
  }
}

/** Nobody is won while their wave moves, and some must want to withdraw then: more than there are writers at once. */
const LEFT_TO_WITHDRAW = 16;

export interface PickerOptions {
  focus: boolean;
}

/** Chooses what happens next. */
export class Picker {
  constructor(
    private readonly random: Random,
    private readonly customers: Customers,
    private readonly view: CustodyView,
    private readonly counts: Counts,
    private readonly options: PickerOptions,
  ) {}

  async next(): Promise<Choice> {
    const { candidates, seen } = await this.someCustomers();
    const newcomers = await this.view.see(undefined);
    const kind = this.kindFor(seen.custody, newcomers.custody);
    if (isRequest(kind)) return { kind, ...seen, candidates };
    const operation = operationOf(kind);
    if (operation.newCustomer) return { kind, ...newcomers, candidates: [] };
    if (!operation.ownCustomer) return { kind, ...seen, candidates };
    const own = this.customers.withdrawing(this.random, newcomers.custody === 'source' ? LEFT_TO_WITHDRAW : 0);
    if (own.length > 0) return { kind, ...newcomers, candidates: own };
    return { kind: 'won', ...newcomers, candidates: [] };
  }

  /** Customers of one wave, with focus those of a wave that is moving. */
  private async someCustomers(): Promise<{ candidates: string[]; seen: Seen }> {
    const drawn = this.customers.sample(this.random, CANDIDATES * 4);
    const focused = this.options.focus && this.view.anyMoving() && this.random.chance(0.65);
    const wanted = focused ? drawn.filter((customer) => this.view.isMoving(customer)) : drawn;
    const first = wanted[0] ?? drawn[0];
    if (first === undefined) throw new Error('the source has no customers');
    const stranger = drawn.find((customer) => !this.view.isKnown(customer));
    if (stranger !== undefined) await this.view.ask(stranger);
    const seen = await this.view.see(first);
    const candidates: string[] = [];
    for (const customer of drawn) {
      if (candidates.length >= CANDIDATES) break;
      if (customer === first || !this.view.isKnown(customer)) continue;
      if ((await this.view.see(customer)).wave === seen.wave) candidates.push(customer);
    }
    return { candidates: [first, ...candidates], seen };
  }

  private kindFor(custody: SeenCustody, newcomers: SeenCustody): Kind {
    const served = this.view.isServed();
    const possible = KINDS.filter((kind) => {
      if (isRequest(kind)) return served;
      const { newCustomer, ownCustomer } = operationOf(kind);
      return newCustomer || ownCustomer ? newcomers === custody : true;
    });
    if (this.options.focus) {
      const rare = possible.filter((kind) => this.counts.of(kind, custody).attempted < ENOUGH_OF_A_KIND);
      if (rare.length > 0 && this.random.chance(0.7)) return this.random.pick(rare);
      if (served && custody === 'moving' && this.counts.held < ENOUGH_HELD && this.random.chance(0.6)) {
        return this.random.pick(possible.filter(isRequest));
      }
      if (custody === 'target' && this.random.chance(0.5)) return this.random.pick(WRITERS[this.leastWritten()]);
    }
    return this.weighted(possible);
  }

  private leastWritten(): (typeof ENTITIES)[number] {
    return ENTITIES.reduce((least, entity) =>
      this.counts.writesAtTarget(entity) < this.counts.writesAtTarget(least) ? entity : least,
    );
  }

  private weighted(possible: readonly Kind[]): Kind {
    let left = this.random.next() * possible.reduce((sum, kind) => sum + WEIGHTS[kind], 0);
    for (const kind of possible) {
      left -= WEIGHTS[kind];
      if (left < 0) return kind;
    }
    return 'payment';
  }
}
