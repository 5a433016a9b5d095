import { SystemFault } from '../../ports';

/** Gathers everything wrong with a conversion, so that one run of the check shows it all. */
export class Problems {
  readonly #found: string[] = [];

  add(where: string, what: string, write: string): void {
    this.#found.push(`${where}: ${what}. ${write}`);
  }

  get count(): number {
    return this.#found.length;
  }

  /** Throws a SystemFault that lists every problem, one a line. */
  throwAny(): void {
    if (this.count === 0) return;
    throw new SystemFault(`The conversion does not fit the databases:\n${this.#found.join('\n')}`, false);
  }
}
