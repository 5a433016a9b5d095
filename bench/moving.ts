import { Company, type Servers } from './company/company';
import { bareDelta, bareDigest, changeSource, changeTarget, logEnd } from './company/delta';
import { unlike } from './company/expected';
import { hasPsql, rawCopy, rawTarget } from './company/raw';
import { SOURCE_TABLES } from './company/schema';
import { withClient } from '../local/with-client';
import { connect } from '../systems/postgres/connect';
import type { Pool } from 'pg';
import { conversionLines, downtimeLines, growthLines, liveLine, rollbackLine } from './moving-lines';
import { timed, type Line, type Rounds } from './measure';
import { settle } from './place';
import type { Setting } from './scenarios';

const STREAMS = 2;

/** What was measured at one size. Times in ms. */
export interface Figures {
  customers: number;
  conversion: Rounds & { planning: number[] };
  live: Rounds;
  /** By number of changed rows. */
  downtime: Map<number, Rounds & { parts: Record<string, number[]> }>;
  rollback: Rounds;
  rollbackRows: number;
}

const none = (): Rounds => ({ ours: [], bare: [] });

/** One size on its way through the comparisons. */
class Moving {
  readonly figures: Figures;
  private turn = 0;
  private bare: Pool | null = null;

  constructor(
    private readonly setting: Setting,
    readonly company: Company,
  ) {
    const { customers } = company;
    this.figures = {
      customers,
      conversion: { ...none(), planning: [] },
      live: none(),
      downtime: new Map(),
      rollback: none(),
      rollbackRows: 0,
    };
  }

  private say(what: string, ms: number): void {
    this.setting.say(`${this.company.customers} customers: ${what} ${Math.round(ms)} ms`);
  }

  private async settled(): Promise<void> {
    await Promise.all([settle(this.company.servers.source), settle(this.company.servers.target)]);
  }

  /** The whole population to an empty target, beside raw `COPY | COPY`. */
  async convert(): Promise<void> {
    const { company, figures } = this;
    const raw = hasPsql() ? await rawTarget(company) : null;
    for (let round = 0; round < this.setting.rounds; round++) {
      if (raw !== null) {
        await withClient(raw, (client) => client.query(`truncate ${SOURCE_TABLES.flat().join(', ')}`));
        await this.settled();
        const { ms } = await timed(() => rawCopy(company.sourceUrl, raw));
        figures.conversion.bare.push(ms);
        this.say('raw COPY | COPY', ms);
      }
      await company.freshTarget();
      await this.settled();
      const planned = await timed(() => company.act('startPreload', { ref: company.ref('preload') }));
      const streams = await timed(() =>
        Promise.all(
          Array.from({ length: STREAMS }, (_, stream) =>
            company.act('preloadStream', { ref: company.ref('preload'), stream }),
          ),
        ),
      );
      figures.conversion.planning.push(planned.ms);
      figures.conversion.ours.push(streams.ms);
      this.say(`planning ${planned.ms.toFixed(0)} ms, conversion`, streams.ms);
    }
    if (raw !== null) await withClient(raw, (client) => client.query('drop schema old cascade'));
    await this.requireEqual('after the conversion');
    await withClient(company.targetUrl(), (client) => client.query('vacuum analyze'));
    this.bare = connect(await company.copyTarget(), { applicationName: 'bench bare' });
  }

  private async requireEqual(when: string): Promise<void> {
    const wrong = await unlike(this.company.sourceUrl, this.company.targetUrl());
    if (wrong.length > 0) throw new Error(`${when} the target is not what SQL computes: ${wrong.join('; ')}`);
  }

  /** Every row proven while the source is live, beside one bare hash over both sides. Leaves proofs. */
  private async proveLive(): Promise<void> {
    const { company, figures } = this;
    const pair = await company.pair();
    const bare = await timed(() => bareDigest(pair.source, pair.target));
    const ours = await timed(() => company.act('verify', { ref: company.ref('prove'), scope: 'live', totals: [] }));
    if (ours.result.mismatches > 0) throw new Error(`${ours.result.mismatches} rows differ`);
    figures.live.bare.push(bare.ms);
    figures.live.ours.push(ours.ms);
    this.say(`bare hash ${bare.ms.toFixed(0)} ms, live verification`, ours.ms);
  }

  /** The frozen time of a wave with `changes` rows to apply, beside the bare delta; then the way back, when `back` is set. */
  async night(changes: number, back: boolean): Promise<void> {
    const { company, figures } = this;
    if (!this.bare) throw new Error('convert first');
    await this.proveLive();
    const pair = await company.pair();
    const seq = await logEnd(pair.source);
    await changeSource(pair.source, company.customers, changes, this.turn++);
    await this.settled();
    const bare = await timed(() => bareDelta(pair.source, this.bare!, seq));
    const parts = await this.freezeToOpen();
    const ours = Object.values(parts).reduce((sum, ms) => sum + ms, 0);
    const known = figures.downtime.get(changes) ?? { ...none(), parts: {} };
    known.bare.push(bare.ms);
    known.ours.push(ours);
    for (const [part, ms] of Object.entries(parts)) known.parts[part] = [...(known.parts[part] ?? []), ms];
    figures.downtime.set(changes, known);
    const told = Object.entries(parts).map(([part, ms]) => `${part} ${ms.toFixed(0)}`);
    this.say(`${changes} changes: bare delta ${bare.ms.toFixed(0)} ms; ${told.join(', ')}; downtime`, ours);
    await this.requireEqual('after the switch');
    if (back) await this.goBack(changes, ours - (parts['verify'] ?? 0));
    await company.takeBack();
  }

  private async freezeToOpen(): Promise<Record<string, number>> {
    const { company } = this;
    const ref = (step: string): { ref: ReturnType<Company['ref']> } => ({ ref: company.ref(step) });
    const freeze = await timed(() => company.act('freeze', { ...ref('freeze'), leaseMs: 1_800_000 }));
    if (freeze.result.outcome !== 'frozen') throw new Error(`the freeze was ${freeze.result.outcome}`);
    const convert = await timed(() => company.act('convert', ref('convert')));
    const verify = await timed(() => company.act('verify', { ...ref('verify'), scope: 'frozen', totals: [] }));
    if (verify.result.mismatches > 0) throw new Error(`${verify.result.mismatches} rows differ`);
    const opened = await timed(() => company.act('switchWave', ref('switch')));
    if (opened.result.outcome !== 'switched') throw new Error(`the switch was refused: ${opened.result.reason}`);
    return { freeze: freeze.ms, convert: convert.ms, verify: verify.ms, switch: opened.ms };
  }

  private async goBack(writes: number, forwardMs: number): Promise<void> {
    const { company, figures } = this;
    const pair = await company.pair();
    figures.rollbackRows = await changeTarget(pair.target, company.customers, writes, this.turn++);
    await company.raise();
    await this.settled();
    const back = await timed(() => company.act('returnCustody', { ref: company.ref('switch') }));
    if (back.result.path !== 'carried-back') throw new Error(`the way back was ${back.result.path}`);
    figures.rollback.ours.push(back.ms);
    figures.rollback.bare.push(forwardMs);
    this.say(`${figures.rollbackRows} target writes carried back (${back.result.carriedRows} rows)`, back.ms);
    await this.requireEqual('after the rollback');
  }

  async close(): Promise<void> {
    await this.bare?.end();
    await this.company.close();
  }
}

/** Conversion, live verification, downtime and rollback at two sizes, in turns. */
export async function moving(setting: Setting): Promise<Line[]> {
  const { place, customers, rounds } = setting;
  const servers: Servers = { source: await place.postgres('source'), target: await place.postgres('target') };
  const [few, many] = [Math.ceil(customers / 100), Math.ceil(customers / 10)];
  const sizes: Moving[] = [];
  try {
    for (const size of [many, customers]) {
      const moving = new Moving(setting, await Company.open(servers, size));
      sizes.push(moving);
      await moving.convert();
    }
    for (let round = 0; round < rounds; round++)
      for (const changes of [few, many]) for (const size of sizes) await size.night(changes, changes === many);
    const [small, large] = sizes.map(({ figures }) => figures);
    return [
      ...sizes.flatMap(({ figures }) => conversionLines(figures)),
      ...sizes.map(({ figures }) => liveLine(figures)),
      ...sizes.flatMap(({ figures }) => downtimeLines(figures)),
      ...growthLines(small!, large!),
      ...sizes.map(({ figures }) => rollbackLine(figures)),
    ];
  } finally {
    for (const size of sizes) await size.close();
    await place.put(servers.source);
    await place.put(servers.target);
  }
}
