/** Open work of one stock or queue. Drained means ready and unacked are both zero, twice in a row. */
export interface QueueReading {
  /** Work nobody has taken yet. */
  ready: number;
  /** Work somebody has taken and not finished. */
  unacked: number;
  /** Work that failed for good. It does not hold up a drain; a person gets it. */
  deadLetters: number;
}

/** What is left in a stock, for the person who gets it or for excluding the customers: ids only. */
export interface Leftovers {
  /** Pieces of work, dead letters included. */
  count: number;
  /** Customers with work left, each once; empty when the queue's messages do not name one. */
  customers: string[];
  /** Pieces of work that name no customer: they can be handed to a person only. */
  withoutCustomer: number;
}

/** The open work of a wave. Both calls only read; faults are SystemFaults. */
export interface QueuePort {
  /** How old a reading may be, where a broker publishes its counts now and then; default: it is live. */
  readonly staleMs?: number;
  read(wave: number): Promise<QueueReading>;
  leftovers(wave: number): Promise<Leftovers>;
}
