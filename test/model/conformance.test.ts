import { SIDES, type Side } from '../../domain/custody';
import { connect } from '../../systems/postgres/connect';
import { postgresCustody } from '../../systems/postgres/custody';
import { guardTables, install, seedWaves } from '../../systems/postgres/schema';
import { freshDatabase } from '../support/databases';
import { RealWave, type RealSide } from './real-wave';
import { kindOf, sample, type Walked } from './walks';
import { accepts, type SideState, type Wave } from './wave';

jest.setTimeout(300_000);

const SEED = 20_261_125;
const CANDIDATES = 400;
const paths = sample(SEED, CANDIDATES);

/** A source and a target with a wave, a customer and a row for each path, copied and followed. */
async function realPair(waves: number[]): Promise<Record<Side, RealSide>> {
  const pair = {} as Record<Side, RealSide>;
  for (const side of SIDES) {
    const url = await freshDatabase(`model_${side}`);
    const own = connect(url, { applicationName: 'model', leaseMs: 30_000 });
    const data = connect(url, { applicationName: 'model data' });
    const app = connect(url, { applicationName: 'model writer' });
    await app.query('create table item (id int primary key, customer text not null, value int not null)');
    await app.query(`insert into item select w, 'c' || w, 0 from unnest($1::int[]) w`, [waves]);
    await install(own, side);
    await seedWaves(
      own,
      side,
      waves.map((wave) => ({ wave, name: `wave ${wave}` })),
    );
    await own.query(`insert into cutover.member select 'c' || w, w, true from unnest($1::int[]) w`, [waves]);
    await guardTables(own, [{ table: 'public.item', keyColumns: ['id'], customerColumn: 'customer' }]);
    await own.query(`update cutover.fence set epoch = 1 where key <> 'wave/0'`);
    pair[side] = { own, data, app, custody: postgresCustody(own, { freezePatienceMs: 2_000, callPatienceMs: 5_000 }) };
  }
  const at = await pair.source.own.query<{ at: string }>('select pg_current_snapshot()::text as at');
  await pair.target.own.query(`update cutover.fence set position = $1 where key <> 'wave/0'`, [at.rows[0]?.at]);
  return pair;
}

const told = (here: SideState, there: SideState): unknown => ({
  state: here.state,
  accepts: accepts(here),
  fence: here.fence,
  value: here.value,
  log: here.log,
  behind: here.applied === null ? null : there.log - here.applied,
});
const bothOf = ({ source, target }: Wave): unknown => ({ source: told(source, target), target: told(target, source) });

/** A snapshot from before our own copy of the row is refused before the guard is asked. */
const asModel = (outcome: string, { step }: Walked): string =>
  step.who === 'writer' && step.outcome === 'refused' && outcome === 'stale' ? 'refused' : outcome;

let pair: Record<Side, RealSide>;
beforeAll(async () => {
  pair = await realPair(paths.map((_, at) => at + 1));
});
afterAll(() => Promise.all(Object.values(pair).flatMap(({ own, data, app }) => [own.end(), data.end(), app.end()])));

it('samples every kind of step there is', () => {
  const kinds = new Set(paths.flat().map(kindOf));
  for (const kind of [
    'mover seal unapplied',
    'zombie open stale',
    'writer statement source stale',
    'mover carrying committed',
  ])
    expect([...kinds]).toContain(kind);
  expect(kinds.size).toBeGreaterThan(60);
});

it.each(paths.map((path, at) => ({ at, steps: path.length, path })))(
  `answers and stands as the model says at each of $steps steps of path $at of seed ${SEED}`,
  async ({ at, path }) => {
    const real = new RealWave(pair, at + 1);
    const trail: string[] = [];
    try {
      for (const walked of path) {
        trail.push(kindOf(walked));
        const outcome = asModel(await real.play(walked), walked);
        // A freeze that lapsed under its own epoch answers `stale` in SQL; the states tell which.
        expect({ trail, outcome }).toEqual({ trail, outcome: walked.step.outcome });
        expect({ trail, ...(await real.look()) }).toEqual({ trail, ...(bothOf(walked.after) as object) });
      }
    } finally {
      await real.close();
    }
  },
);
