import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Document } from 'yaml';
import type { RunView } from '../../engine/view';
import { everyKind } from '../e2e/support/every-kind';
import { Night } from '../e2e/support/night';
import type { Script } from '../e2e/support/people';
import { Writer } from '../e2e/support/writer';
import { startProber, type Prober } from '../support/prober';
import type { Random } from '../support/random';
import { waitUntil } from '../support/wait-until';
import type { Ground } from './ground';
import type { Judgement } from './promises';
import { Requester } from './requester';
import { readRows, type Rows } from './rows';

const CUSTOMERS = 100;
const CHUNK_ROWS = 50;
/** Workers that die one after the other on a loaded machine do not cost the freeze. */
const LEASE = 'PT1M';
/** On a loaded machine a night with many faults takes many minutes; one that is not over then is stuck. */
const WITHIN_MS = 900_000;

/** What Node says when it ends a worker that stood still in the middle of a workflow task: the SDK gives one 5 seconds by the clock. */
const TORN = 'async hook stack has become corrupted';

/** Personal data as it may be in any text: it must be found nowhere but in the systems. */
export const CANARY = 'Canary Quill +44 7700 900461';

/** The fault was to happen and did not: the trial proves nothing. */
export class NotHappened extends Error {
  override name = 'NotHappened';
}

interface Watch {
  writer: Writer;
  requester: Requester;
  prober: Prober;
  /** What the prober saw of two owners. */
  owners: string[];
}

export interface FieldOptions {
  script?: Script;
  /** For the workers, see breaking-worker.ts. */
  breakAt?: readonly string[];
  /** Beside every kind of step: what else the documents say. */
  change?: Change;
}

type Change = (runbook: Document, plan: Document) => void;

let count = 0;

/** One night under fault: its people, its customers and those who watch. */
export class Field {
  /** The cutover's and the wave's last views. */
  view: RunView | null = null;
  waveView: RunView | null = null;
  /** What a trial found itself, beside the audit. */
  readonly judgement: Judgement = {};
  private readonly deathsBefore: number;
  private readonly tornBefore: number;

  private constructor(
    readonly ground: Ground,
    readonly random: Random,
    readonly night: Night,
    readonly breakDir: string,
    readonly breakAt: readonly string[],
    readonly before: Rows,
    readonly watch: Watch,
    private readonly change: Change,
  ) {
    this.deathsBefore = ground.stage.deaths;
    this.tornBefore = this.tornWorkers();
  }

  /** Databases, workers, writers, watchers, and a cutover with every kind of step, which has begun. */
  static async open(ground: Ground, random: Random, options: FieldOptions): Promise<Field> {
    const { stage } = ground;
    const { script = {}, breakAt = [], change = () => undefined } = options;
    const id = `night-${process.pid}-${(count += 1)}`;
    const breakDir = join(stage.dir, id);
    mkdirSync(breakDir, { recursive: true });
    await ground.clear(CUSTOMERS);
    await stage.query(
      stage.urlOf('source'),
      `create table tiny.job (what text not null); update tiny.note set body = body || ' ${CANARY}' where id % 7 = 0`,
    );
    const before = await readRows(stage);
    const night = new Night(stage, id, script);
    const watch = await startWatch(ground, random, id);
    const field = new Field(ground, random, night, breakDir, breakAt, before, watch, change);
    await field.startWorkers();
    await night.start((runbook, plan) => field.write(runbook, plan));
    return field;
  }

  private write(runbook: Document, plan: Document): void {
    everyKindAndJobs(runbook);
    this.change(runbook, plan);
  }

  /** Keeps the night's documents with `more` in them in `control`; returns their hashes. */
  store(more: (runbook: Document) => void): Promise<{ runbook: string; plan: string }> {
    return this.night.store((runbook, plan) => {
      this.write(runbook, plan);
      more(runbook);
    });
  }

  startWorkers(): Promise<void> {
    const { ground, breakAt, breakDir } = this;
    return ground.stage.startWorkers({ ...ground.workerEnv(), BREAK_AT: breakAt.join(','), BREAK_DIR: breakDir });
  }

  /** Plays the people until the cutover's run has closed, or until `holds`. */
  async play(holds?: Parameters<Night['play']>[1], night = this.night): Promise<void> {
    this.view = await night.play(WITHIN_MS, holds);
  }

  /** Plays the night to its end and lets everybody finish what they began. */
  async finish(night = this.night): Promise<void> {
    await this.play(undefined, night);
    this.waveView = await night.view(1);
    await this.quiet();
  }

  async quiet(): Promise<void> {
    const { writer, requester, prober } = this.watch;
    await Promise.all([writer.stop(), requester.stop(), prober.stop()]);
  }

  /** The lead asks, again until it is heard: the worker that hears may have just died. */
  async askForRollback(wave: number | null): Promise<void> {
    const asked = { person: 'ada', reason: 'the test asks for it' };
    await waitUntil(async () => {
      const view = await this.night.view(wave);
      if (view?.rollback) return true;
      await this.night.quietly(wave, 'requestRollback', asked);
      return false;
    }, WITHIN_MS);
  }

  /** Whether a customer can write at the source now. */
  async sourceAccepts(): Promise<boolean> {
    const { stage } = this.ground;
    try {
      await stage.query(stage.urlOf('source'), "insert into tiny.note (customer, body) values ('t1', 'a look')");
      return true;
    } catch (error) {
      if ((error as { code?: string }).code === 'CU001') return false;
      throw error;
    }
  }

  /** The moments at which a worker broke, as files of BREAK_DIR say. */
  broken(): string[] {
    return readdirSync(this.breakDir).filter((name) => name.startsWith('broke-'));
  }

  /** Workers that ended although nobody killed them, but for those that were stopped and did not survive their waking. */
  unexpectedDeaths(): number {
    const killed = this.breakAt.filter((each) => !/:(stop|wait)$/.test(each)).length;
    const stopped = this.breakAt.filter((each) => each.endsWith(':stop')).length;
    const torn = Math.min(stopped, this.tornWorkers() - this.tornBefore);
    return this.ground.stage.deaths - this.deathsBefore - killed - torn;
  }

  private tornWorkers(): number {
    const logs = join(this.ground.stage.dir, 'logs');
    const texts = existsSync(logs) ? readdirSync(logs).map((name) => readFileSync(join(logs, name), 'utf8')) : [];
    return texts.reduce((count, text) => count + text.split(TORN).length - 1, 0);
  }

  async close(): Promise<void> {
    for (const way of Object.values(this.ground.ways)) way.clear();
    await this.ground.stage.stopChildren();
    const { writer, requester, prober } = this.watch;
    await Promise.allSettled([writer.stop(), requester.stop(), prober.stop()]);
    await writer.close();
  }
}

async function startWatch({ stage }: Ground, random: Random, cutover: string): Promise<Watch> {
  const owners: string[] = [];
  const writer = new Writer(stage.env, CUSTOMERS);
  const probed = {
    urls: { source: stage.urlOf('source'), target: stage.urlOf('target') },
    writes: {
      source: "insert into tiny.note (id, customer, body) values ($1, $2, 'probe')",
      target: "insert into shop.memo (memo_no, client_code, words) values ($1, $2, 'probe')",
    },
    customers: Array.from({ length: CUSTOMERS }, (_, n) => `t${n + 1}`),
    waves: [1],
  };
  const requester = await Requester.start(stage, cutover, CUSTOMERS);
  writer.start();
  return { writer, requester, owners, prober: startProber(probed, random, (what) => owners.push(what)) };
}

/** For `change`, where the lease is to lapse under the fault. */
export const withLease =
  (lease: string): Change =>
  (runbook) =>
    runbook.setIn(['limits', 'lease'], lease);

/** Every kind of step, small chunks, a proof while live, and jobs whose every stop and start is a row. */
function everyKindAndJobs(runbook: Document): void {
  everyKind(runbook);
  runbook.setIn(['limits', 'lease'], LEASE);
  runbook.setIn(['perWave', 0, 'steps', 0, 'chunkRows'], CHUNK_ROWS);
  runbook.addIn(['perWave', 0, 'steps'], runbook.createNode({ id: 'prove', kind: 'verify', scope: 'live' }));
  const jobs = ['perWave', 1, 'steps', 2];
  runbook.setIn([...jobs, 'do'], "insert into tiny.job values ('stop')");
  runbook.setIn([...jobs, 'undo'], "insert into tiny.job values ('start')");
}
