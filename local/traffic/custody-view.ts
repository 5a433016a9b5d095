import type { Side } from '../../domain/custody';
import type { GatewayClient, Whereabouts } from './gateway';
import type { SeenCustody } from './journal';
import { delay } from './wait';

interface WaveView {
  custody: SeenCustody;
  /** Where the wave was served when it last did not move. */
  settled: Side;
  /** Asked about for the whole wave. */
  representative: string;
  at: number;
}

export interface Seen {
  custody: SeenCustody;
  /** Where an application that asks nobody's permission writes. */
  side: Side;
  wave: number | undefined;
}

const NO_ANSWER: Seen = { custody: 'source', side: 'source', wave: undefined };
const STALE_MS = 400;
/** Stands for every customer that is not there yet. */
const NEWCOMER = 'newcomer';

/** What the gateway said about customers, kept fresh wave by wave so that not every write costs a question. */
export class CustodyView {
  private readonly waves = new Map<number, WaveView>();
  private readonly members = new Map<string, number>();

  constructor(private readonly gateway: GatewayClient) {}

  /** Asks about one customer of each known wave and about a newcomer, every `intervalMs`, until aborted. */
  async watch(intervalMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const askFor = [...new Set([NEWCOMER, ...[...this.waves.values()].map((wave) => wave.representative)])];
      for (const customer of askFor) await this.ask(customer);
      await delay(intervalMs, signal);
    }
  }

  async see(customer: string | undefined): Promise<Seen> {
    const name = customer ?? NEWCOMER;
    const wave = this.members.get(name);
    const view = wave === undefined ? undefined : this.waves.get(wave);
    if (view && Date.now() - view.at < STALE_MS) return { custody: view.custody, side: sideFor(view), wave };
    return this.ask(name);
  }

  /** Asks the gateway now; the last answer stands while it does not reply. */
  async ask(customer: string): Promise<Seen> {
    const answer = await this.gateway.ask(customer);
    if (answer) this.learn(customer, answer);
    const wave = this.members.get(customer);
    const view = wave === undefined ? undefined : this.waves.get(wave);
    return view ? { custody: view.custody, side: sideFor(view), wave } : NO_ANSWER;
  }

  isMoving(customer: string): boolean {
    const wave = this.members.get(customer);
    return wave !== undefined && this.waves.get(wave)?.custody === 'moving';
  }

  isKnown(customer: string): boolean {
    return this.members.has(customer);
  }

  anyMoving(): boolean {
    return [...this.waves.values()].some((wave) => wave.custody === 'moving');
  }

  /** False until the gateway has answered once: without an open cutover it takes no requests. */
  isServed(): boolean {
    return this.isKnown(NEWCOMER);
  }

  private learn(customer: string, { custody: said, wave }: Whereabouts): void {
    const custody: SeenCustody = said === 'retired' ? 'target' : said;
    const before = this.waves.get(wave);
    const settled = custody === 'moving' ? (before?.settled ?? 'source') : custody;
    this.members.set(customer, wave);
    const representative = before?.representative ?? customer;
    this.waves.set(wave, { custody, settled, representative, at: Date.now() });
  }
}

const sideFor = (view: WaveView): Side => (view.custody === 'moving' ? view.settled : view.custody);
