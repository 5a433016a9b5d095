import { connect } from '../../systems/postgres/connect';
import { performSqlAction } from '../../systems/postgres/action';
import { freshDatabase } from '../support/databases';
import { Billing, CUTOVER } from '../measures/support/billing';

jest.setTimeout(120_000);

it('an SQL action that arrives after its undo does nothing any more, whether it was done before or not', async () => {
  const pool = connect(await freshDatabase('late'), { applicationName: 'test' });
  try {
    await pool.query('create table job (running boolean not null); insert into job values (true)');
    const [stop, start] = ['update job set running = false', 'update job set running = true'];
    expect((await performSqlAction(pool, { sql: start, key: '1/undo', voids: '1/do' })).outcome).toBe('done');
    expect((await performSqlAction(pool, { sql: stop, key: '1/do' })).outcome).toBe('already');
    await performSqlAction(pool, { sql: stop, key: '2/do' });
    await performSqlAction(pool, { sql: start, key: '2/undo', voids: '2/do' });
    expect((await performSqlAction(pool, { sql: stop, key: '2/do' })).outcome).toBe('already');
    expect((await pool.query('select running from job')).rows).toEqual([{ running: true }]);
    expect((await performSqlAction(pool, { sql: stop, key: '3/do' })).outcome).toBe('done');
  } finally {
    await pool.end();
  }
});

it('an attempt that wakes while its rollback is at work calls nobody', async () => {
  const billing = await Billing.open('late_action', { customers: 10, seed: 3 }, 'true');
  try {
    const { activities } = billing;
    await billing.preload(1);
    const ref = billing.ref(1, 'stop-jobs');
    await activities.recordUndo({ ref, kind: 'action' });
    await activities.raiseEpoch({ cutover: CUTOVER, wave: 1, key: 'rollback' });
    await expect(activities.runAction({ ref, direction: 'do' })).rejects.toMatchObject({ type: 'StaleEpoch' });
  } finally {
    await billing.close();
  }
});
