import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Side } from '../../domain/custody';
import { GatewayClient } from '../traffic/gateway';
import { Random } from '../traffic/random';
import { delay } from '../traffic/wait';
import { CanarySide, type Answer } from './canary';
import { OwnerlessSpans } from './spans';

export interface ProberOptions {
  sourceUrl: string;
  targetUrl: string;
  gatewayUrl: string;
  journalFile: string;
  /** Customers tried, spread over the waves. */
  customers: number;
  everyMs: number;
  seed: number;
}

export interface ProberSummary {
  /** No customer was ever owned twice, and every read was answered. */
  ok: boolean;
  probes: number;
  owned: number;
  /** Both systems accepted, twice in alternation: OWNER is broken. */
  violations: number;
  violationSamples: { customer: string; wave: number; at: number }[];
  /** Neither accepted. */
  ownerless: number;
  /** A lock, a timeout or a lost connection: nothing follows. */
  unclear: number;
  /** Wave → longest time nobody accepted, in ms. */
  longestOwnerlessMs: Record<string, number>;
  ownerlessAtEnd: number[];
  reads: { answered: number; missing: number; failed: number; slowestMs: number };
}

const NEWCOMER = 'prober-newcomer';
const RESAMPLE_MS = 5_000;

interface Sample {
  customer: string;
  wave: number;
}

/** Tries canary writes and reads in both systems until it is stopped. */
export class Prober {
  private readonly sides: Record<Side, CanarySide>;
  private readonly gateway: GatewayClient;
  private readonly random: Random;
  private readonly spans = new OwnerlessSpans();
  private readonly counts = { probes: 0, owned: 0, violations: 0, ownerless: 0, unclear: 0 };
  private readonly reads = { answered: 0, missing: 0, failed: 0, slowestMs: 0 };
  private readonly violationSamples: ProberSummary['violationSamples'] = [];

  constructor(private readonly options: ProberOptions) {
    this.sides = {
      source: new CanarySide('source', options.sourceUrl),
      target: new CanarySide('target', options.targetUrl),
    };
    this.gateway = new GatewayClient(options.gatewayUrl);
    this.random = new Random(options.seed);
  }

  /** Resolves with the summary after `signal`; it is the journal's last line too. Before both systems are guarded nothing is tried. */
  async run(signal: AbortSignal): Promise<ProberSummary> {
    const journal = createWriteStream(this.options.journalFile, { flags: 'a' });
    let samples: Sample[] = [];
    let sampledAt = 0;
    while (!signal.aborted) {
      if (Date.now() - sampledAt > (samples.length > 0 ? RESAMPLE_MS : 200)) {
        samples = await this.sample();
        sampledAt = Date.now();
      }
      if (samples.length > 0) {
        const line = await this.probe(this.random.pick(samples));
        if (!journal.write(`${JSON.stringify(line)}\n`)) await once(journal, 'drain');
      }
      await delay(this.options.everyMs, signal);
    }
    journal.end(`${JSON.stringify({ event: 'summary', ...this.summary() })}\n`);
    await Promise.all([once(journal, 'close'), this.sides.source.end(), this.sides.target.end()]);
    return this.summary();
  }

  summary(): ProberSummary {
    return {
      ok: this.counts.violations === 0 && this.reads.missing === 0,
      ...this.counts,
      violationSamples: this.violationSamples,
      longestOwnerlessMs: this.spans.summary(),
      ownerlessAtEnd: this.spans.open(),
      reads: this.reads,
    };
  }

  /** Some customers of every wave, and one who is not there yet; none while a system is not guarded or does not answer. */
  private async sample(): Promise<Sample[]> {
    try {
      if (!(await this.guarded())) return [];
      const perWave = Math.ceil(this.options.customers / Math.max(1, await this.waveCount()));
      const rows = await this.sides.source.query<Sample>(
        `select customer, wave from (
           select c.customer_id as customer, w.wave,
                  row_number() over (partition by w.wave order by md5(c.customer_id || $2::text)) as place
           from legacy.customer c
           left join cutover.member m on m.customer = c.customer_id
           join cutover.wave w on w.wave = coalesce(m.wave, (select max(wave) from cutover.wave))
           where m.customer is not null) s
         where place <= $1`,
        [perWave, String(this.options.seed)],
      );
      const last = await this.sides.source.query<{ wave: number }>('select max(wave) as wave from cutover.wave');
      return [...rows, { customer: NEWCOMER, wave: last[0]?.wave ?? 1 }];
    } catch {
      return []; // a system is away or not prepared: looked at again soon
    }
  }

  private async waveCount(): Promise<number> {
    return (await this.sides.source.query('select from cutover.wave where wave > 0')).length;
  }

  /** Whether both systems guard their customers: before that, both take every write and it means nothing. */
  private async guarded(): Promise<boolean> {
    const tables: Record<Side, string> = { source: 'legacy.customer', target: 'crm.customer' };
    for (const side of ['source', 'target'] as const) {
      const there = await this.sides[side].query<{ there: boolean }>(
        "select to_regclass('cutover.guarded') is not null as there",
      );
      if (!there[0]?.there) return false;
      const rows = await this.sides[side].query('select from cutover.guarded where tab = $1', [tables[side]]);
      if (rows.length === 0) return false;
    }
    return true;
  }

  private async probe({ customer, wave }: Sample): Promise<object> {
    const first: Side = this.random.chance(0.5) ? 'source' : 'target';
    const second: Side = first === 'source' ? 'target' : 'source';
    const startedAt = Date.now();
    const result = await this.sides[first].whileOpen(customer, (one, again) =>
      this.sides[second].whileOpen(customer, async (two): Promise<[Answer, Answer, boolean]> => {
        // The first system is asked again while the second one's acceptance is still open: had custody passed from one
        // to the other in between, it would refuse now.
        const both = one === 'accepted' && two === 'accepted' && (await again()) === 'accepted';
        return [one, two, both];
      }),
    );
    const [one, two, both] = result;
    const endedAt = Date.now();
    this.counts.probes += 1;
    const violated = both && (await this.stillGuarded());
    if (violated) {
      this.counts.violations += 1;
      if (this.violationSamples.length < 10) this.violationSamples.push({ customer, wave, at: endedAt });
    }
    const owned = one === 'accepted' || two === 'accepted';
    if (owned) this.counts.owned += 1;
    else this.counts[one === 'refused' && two === 'refused' ? 'ownerless' : 'unclear'] += 1;
    if (owned || (one === 'refused' && two === 'refused')) this.spans.add(wave, owned, startedAt, endedAt);
    const read = customer === NEWCOMER ? 'none' : await this.tryRead(customer);
    return {
      at: startedAt,
      ms: endedAt - startedAt,
      customer,
      wave,
      [first]: one,
      [second]: two,
      first,
      violated,
      read,
    };
  }

  private async stillGuarded(): Promise<boolean> {
    try {
      return await this.guarded();
    } catch {
      return true; // no answer does not excuse what was seen
    }
  }

  /** Reads are answered throughout, by the system the gateway names; while a wave moves, by the source. */
  private async tryRead(customer: string): Promise<'answered' | 'missing' | 'failed' | 'none'> {
    const before = await this.gateway.ask(customer);
    if (!before) return 'none';
    const side: Side = before.custody === 'target' || before.custody === 'retired' ? 'target' : 'source';
    const read = await this.sides[side].read(customer);
    if (!read) {
      this.reads.failed += 1;
      return 'failed';
    }
    if (!read.found) {
      const after = await this.gateway.ask(customer);
      if (after?.custody !== before.custody || after.wave !== before.wave) return 'none'; // custody changed meanwhile
      this.reads.missing += 1;
      return 'missing';
    }
    this.reads.answered += 1;
    this.reads.slowestMs = Math.max(this.reads.slowestMs, Math.round(read.ms));
    return 'answered';
  }
}
