import { SystemFault } from '../../ports';

/** One thing in which a conversion does not fit the databases. */
export interface Problem {
  /** Entity and column. */
  where: string;
  what: string;
  /** What to do. */
  write: string;
}

/** Gathers everything wrong with a conversion, so that one run of the check shows it all. */
export class Problems {
  readonly #found: Problem[] = [];

  add(where: string, what: string, write: string): void {
    this.#found.push({ where, what, write });
  }

  get all(): readonly Problem[] {
    return this.#found;
  }

  get count(): number {
    return this.#found.length;
  }

  /** Throws a SystemFault that lists every problem, one a line. */
  throwAny(): void {
    if (this.count === 0) return;
    const lines = this.#found.map(({ where, what, write }) => `${where}: ${what}. ${write}`);
    throw new SystemFault(`The conversion does not fit the databases:\n${lines.join('\n')}`, false);
  }
}
