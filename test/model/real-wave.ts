import type { Pool, PoolClient } from 'pg';
import { SIDES, type Side } from '../../domain/custody';
import { SystemFault, type CustodyPort } from '../../systems/ports';
import { readPosition, startCarryBack } from '../../systems/postgres/data/position';
import {
  currentSnapshot,
  movePosition,
  requireSealed,
  takeFence,
  takePassLock,
  waveKey,
} from '../../systems/postgres/data/transaction';
import { onClient } from '../systems/postgres/custody-support';
import type { Walked } from './walks';
import type { Mover } from './wave';

/** One system of the pair: custody as shipped, connections of ours and of the application. */
export interface RealSide {
  own: Pool;
  data: Pool;
  app: Pool;
  custody: CustodyPort;
}

const LEASE_MS = 600_000;
const far = (): Date => new Date(Date.now() + 10 * LEASE_MS);

const stateOf = (error: unknown): string => {
  const { code, cause } = error as { code?: string; cause?: { code?: string } };
  return code ?? cause?.code ?? 'unknown';
};

/** What a mover holds that the model has as numbers: a position read, and a pass that has begun. */
interface Held {
  position: string | null;
  pass: { client: PoolClient; position: string; value: number | null } | null;
}
const nothing = (): Held => ({ position: null, pass: null });

/** Plays the model's steps of one wave against two real databases. Its customer is `c<wave>`, whose one row has the wave as its id. */
export class RealWave {
  private held: Record<'mover' | 'zombie', Held> = { mover: nothing(), zombie: nothing() };
  private writer: PoolClient | null = null;

  constructor(
    private readonly pair: Record<Side, RealSide>,
    private readonly wave: number,
  ) {}

  /** What the step answered. */
  async play({ step, before, after }: Walked): Promise<string> {
    switch (step.who) {
      case 'mover':
      case 'zombie':
        return this.call(step.who, step.what, before[step.who]!);
      case 'lease':
        return this.lease(step.what, step.side!, before.mover.epoch);
      case 'writer':
        return this.write(step.what, step.side!, after.acked);
      case 'fate':
        await this.abort(this.held.mover);
        if (step.what.startsWith('falls asleep')) this.held.zombie = this.held.mover;
        this.held.mover = nothing();
        return '';
      case 'other':
        throw new Error('one wave alone is played');
    }
  }

  /** What the model says of each side, read from the databases. */
  async look(): Promise<Record<Side, unknown>> {
    const sides = await Promise.all(SIDES.map((side) => this.lookAt(side)));
    return { source: sides[0], target: sides[1] };
  }

  private async lookAt(side: Side): Promise<unknown> {
    const { custody, own } = this.pair[side];
    const there = this.pair[side === 'source' ? 'target' : 'source'].own;
    const row = await custody.wave(this.wave);
    const found = await own.query<{ value: number | null; log: number }>(
      `select (select value from item where id = $1) as value, (select count(*)::int from cutover.change where wave = $1) as log`,
      [this.wave],
    );
    const position = await readPosition(own, this.wave);
    const behind = await there.query<{ rows: string }>('select cutover.unapplied($1, $2) as rows', [
      this.wave,
      position,
    ]);
    return {
      state: row.state,
      accepts: !row.refusesWrites,
      fence: row.epoch,
      ...found.rows[0],
      behind: position === null ? null : Number(behind.rows[0]?.rows),
    };
  }

  async close(): Promise<void> {
    for (const held of Object.values(this.held)) await this.abort(held);
    await this.endWriter('rollback');
  }

  private async call(who: 'mover' | 'zombie', what: string, mover: Mover): Promise<string> {
    const { source, target } = this.pair;
    const { wave, held } = this;
    const { epoch } = mover;
    if (what.startsWith('look')) return (await (what.includes('target') ? target : source).custody.wave(wave)).state;
    const at = what.includes('target') || what === 'open' ? target : source;
    if (what.startsWith('raise')) return (await at.custody.raise(wave, epoch)).outcome;
    if (what.startsWith('freeze')) return (await at.custody.freeze(wave, epoch, LEASE_MS)).outcome;
    if (what.startsWith('thaw')) return (await at.custody.thaw(wave, epoch)).outcome;
    switch (what) {
      case 'open':
      case 'open source':
        return at.custody.open(wave, epoch).then(
          ({ outcome }) => outcome,
          (error: unknown) => (stateOf(error) === 'CU004' ? 'frozen' : Promise.reject(error as Error)),
        );
      case 'pass':
        return this.beginPass(held[who], 'target', epoch);
      case 'carry':
        return this.beginPass(held[who], 'source', epoch);
      case 'passing':
      case 'carrying':
        return this.commitPass(held[who]);
      case 'start back': {
        const started = await startCarryBack({ source: source.data, target: target.data }, wave, epoch);
        return 'outcome' in started ? started.outcome : 'set';
      }
      case 'read position':
        held[who].position = await readPosition(target.data, wave);
        return 'read';
      case 'seal':
        return (await source.custody.seal(wave, epoch, held[who].position ?? '')).outcome;
      case 'seal target':
        return (await target.custody.seal(wave, epoch, (await readPosition(source.data, wave)) ?? '')).outcome;
      case 'purge':
        return this.purge(epoch);
      default:
        throw new Error(`the model calls ${what}, which nobody here plays`);
    }
  }

  /** A pass of the product in two steps: its own lock, fence, snapshot and position, and a copy of one row. */
  private async beginPass(held: Held, side: Side, epoch: number): Promise<string> {
    const client = await this.pair[side].data.connect();
    try {
      await client.query('begin');
      await takePassLock(client);
      await takeFence(client, waveKey(this.wave), epoch);
      await requireSealed(client, this.wave);
    } catch (error) {
      await client.query('rollback');
      client.release();
      if (stateOf(error) === 'CU002') return 'stale';
      if (error instanceof SystemFault) return 'not-sealed';
      throw error;
    }
    const from = this.pair[side === 'source' ? 'target' : 'source'].data;
    await onClient(from, async (reader) => {
      await reader.query('begin isolation level repeatable read');
      const position = await currentSnapshot(reader);
      const { rows } = await reader.query<{ value: number }>('select value from item where id = $1', [this.wave]);
      held.pass = { client, position, value: rows[0]?.value ?? null };
    });
    return 'begun';
  }

  private async commitPass(held: Held): Promise<string> {
    const { pass } = held;
    if (!pass) throw new Error('no pass has begun');
    held.pass = null;
    if (pass.value !== null) await pass.client.query(this.upsert(), [this.wave, `c${this.wave}`, pass.value]);
    await movePosition(pass.client, waveKey(this.wave), pass.position);
    await pass.client.query('commit');
    pass.client.release();
    return 'committed';
  }

  private async purge(epoch: number): Promise<string> {
    return onClient(this.pair.target.data, async (client) => {
      await client.query('begin');
      try {
        await takeFence(client, waveKey(this.wave), epoch);
        await requireSealed(client, this.wave);
      } catch (error) {
        if (stateOf(error) === 'CU002') return 'stale';
        if (error instanceof SystemFault) return 'refused';
        throw error;
      }
      if ((await this.pair.source.custody.wave(this.wave)).state === 'sealed') return 'refused';
      await client.query('delete from item where id = $1', [this.wave]);
      await movePosition(client, waveKey(this.wave), null);
      await client.query('commit');
      return 'purged';
    });
  }

  private async lease(what: string, side: Side, epoch: number): Promise<string> {
    const { custody, own } = this.pair[side];
    if (what === 'renew') return (await custody.renew(this.wave, epoch, LEASE_MS, far())).outcome;
    await own.query(`update cutover.wave set lease_until = clock_timestamp() where wave = $1`, [this.wave]);
    return '';
  }

  private async write(what: string, side: Side, acked: number): Promise<string> {
    if (what === 'commits' || what === 'rolls back') {
      await this.endWriter(what === 'commits' ? 'commit' : 'rollback');
      return '';
    }
    const client = this.writer ?? (this.writer = await this.pair[side].app.connect());
    if (what === 'snapshot') {
      await client.query('begin isolation level repeatable read');
      await client.query('select count(*) from item');
      return '';
    }
    const late = (await client.query<{ idle: boolean }>('select now() = statement_timestamp() as idle')).rows[0];
    if (late?.idle) await client.query('begin');
    try {
      await client.query(this.upsert(), [this.wave, `c${this.wave}`, acked + 1]);
      return 'let in';
    } catch (error) {
      const state = stateOf(error);
      await this.endWriter('rollback');
      return state === 'CU001' ? 'refused' : state === '40001' ? 'stale' : state;
    }
  }

  private async endWriter(how: 'commit' | 'rollback'): Promise<void> {
    const { writer } = this;
    this.writer = null;
    await writer?.query(how);
    writer?.release();
  }

  private async abort(held: Held): Promise<void> {
    const { pass } = held;
    held.pass = null;
    await pass?.client.query('rollback');
    pass?.client.release();
  }

  private readonly upsert = (): string =>
    'insert into item values ($1, $2, $3) on conflict (id) do update set value = excluded.value';
}
