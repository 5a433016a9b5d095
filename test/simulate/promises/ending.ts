import { accepts, rowsOfWave, toTarget, waveOf, waveRow, type World } from '../world/world';
import type { Truth } from '../world/writers';
import { WAVES, type Say } from './broken';

/** Requests retry within half an hour, and the end is watched for three hours: older ones have had their time. */
const SETTLES_WITHIN_MS = 2 * 3_600_000;

/** What must be true of customers, rows and requests when nothing happens any more. `outcome` null: no run ended by itself. */
export class EndPromises {
  constructor(
    private readonly world: World,
    private readonly truth: Truth,
    private readonly say: Say,
  ) {}

  judge(outcome: string | null, stopSkipped: boolean): void {
    this.content(outcome);
    this.work(outcome);
    this.once();
    this.conserve();
    if (outcome !== null) this.routing();
    if (outcome === 'rolled-back' || outcome === 'aborted') this.back(stopSkipped);
  }

  private back(stopSkipped: boolean): void {
    if (!this.world.jobs.running && !stopSkipped) this.say('BACK', 'the jobs were not started again');
    for (const wave of WAVES) {
      if (rowsOfWave(this.world, 'target', wave).length > 0) this.say('BACK', `rows of wave ${wave} at the target`);
      if (waveRow(this.world, 'source', wave).state !== 'open')
        this.say('BACK', `the source does not serve wave ${wave}`);
    }
    for (const [key, rev] of this.truth.sourceRev)
      if (this.world.source.rows.get(key)?.rev !== rev) this.say('BACK', `untouched row ${key} was written`);
    if (this.world.control.undo.some((row) => !row.done)) this.say('BACK', 'an undo row was left');
  }

  /** The owner of each wave holds exactly what was acknowledged; every wave is served. */
  private content(outcome: string | null): void {
    for (const wave of [0, ...WAVES]) {
      const source = waveRow(this.world, 'source', wave).state !== 'sealed';
      const side = source ? 'source' : 'target';
      if (!accepts(this.world, side, wave)) this.say('LIVE', `wave ${wave} is served by nobody at the end (${side})`);
      if (outcome === 'live' && wave > 0 && source) this.say('LIVE', `wave ${wave} is at the source though live`);
      const found = new Map(rowsOfWave(this.world, side, wave));
      const expected = [...this.truth.rows].filter(([, row]) => waveOf(this.world, row.customer) === wave);
      const wrong = expected.filter(
        ([key, row]) => found.get(key)?.value !== (source ? row.value : toTarget(row.value)),
      );
      if (wrong.length > 0 || found.size !== expected.length)
        this.say(
          source ? 'BACK' : 'CONTENT',
          `wave ${wave} at the ${side}: ${wrong.map(([key]) => key).join(', ')} differ; ${expected.length} expected, ${found.size} found`,
        );
    }
  }

  /** A request is effected once, or still held; each customer's in their order. Nothing is held for ever once a run has ended. */
  private work(outcome: string | null): void {
    const lastOf = new Map<string, number>();
    for (const { id, customer, state, executions, submittedAt, effectedAt } of this.world.control.requests) {
      if (executions > 1) this.say('ONCE', `request ${id} took effect ${executions} times`);
      if (state === 'effected' && executions !== 1)
        this.say('WORK', `request ${id} is called effected but took effect ${executions} times`);
      if (outcome !== null && state !== 'effected' && submittedAt < this.world.clock.now - SETTLES_WITHIN_MS)
        this.say('WORK', `request ${id} is still ${state} long after the run ended`);
      const before = lastOf.get(customer) ?? 0;
      if (effectedAt !== null && effectedAt < before)
        this.say('WORK', `request ${id} overtook an earlier one of its customer`);
      lastOf.set(customer, Math.max(before, effectedAt ?? Infinity));
    }
  }

  /** What a step told the job scheduler it told once, unless it was undone in between. */
  private once(): void {
    const last = new Map<string, string>();
    for (const { wave, step, direction } of this.world.jobs.calls) {
      const key = `${wave}/${step}`;
      if (direction === 'do' && last.get(key) === 'do') this.say('ONCE', `${step} of wave ${wave} acted twice`);
      last.set(key, direction);
    }
  }

  private conserve(): void {
    const alive = new Map<string, number>();
    for (const wave of [0, ...WAVES]) {
      const side = waveRow(this.world, 'source', wave).state === 'sealed' ? 'target' : 'source';
      for (const [key, row] of rowsOfWave(this.world, side, wave))
        if (key.endsWith('/0')) alive.set(row.customer, (alive.get(row.customer) ?? 0) + 1);
    }
    const missing = [...this.world.baseline, ...this.truth.won].filter((customer) => !alive.has(customer));
    if (missing.length > 0) this.say('CONSERVE', `missing: ${missing.join(', ')}`);
    if ([...alive.values()].some((count) => count > 1)) this.say('CONSERVE', 'a customer is counted twice');
    if (alive.size !== this.world.baseline.size + this.truth.won.length)
      this.say('CONSERVE', 'the census does not add up');
  }

  /** Routing points to the owner of each wave, and lets new work in. */
  private routing(): void {
    for (const wave of WAVES) {
      const { custody, intake } = this.world.control;
      const owner = waveRow(this.world, 'source', wave).state === 'sealed' ? 'target' : 'source';
      if (custody.get(wave) !== owner)
        this.say('LIVE', `routing says ${custody.get(wave)} of wave ${wave}, which lives at the ${owner}`);
      if (intake.get(wave) !== 'open') this.say('LIVE', `the intake of wave ${wave} is ${intake.get(wave)} at the end`);
    }
  }
}
