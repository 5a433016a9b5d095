import { carryBackPass } from '../../../../systems/postgres/data/carry-back';
import { inSnapshot } from '../../../../systems/postgres/data/transaction';
import { verifyWave } from '../../../../systems/postgres/data/verify';
import { example, lines, type Example } from './example';
import { expectEqual, preload, settle, switchOver } from './steps';

describe('after a failover', () => {
  let it_: Example;
  beforeEach(async () => {
    it_ = await example();
  });
  afterEach(() => it_.end());

  it('of the source nothing is applied: what it commits now may look applied', async () => {
    const { source, target } = it_.pair;
    await preload(it_, 1);
    await settle(it_, 1);
    const { rows } = await source.query<{ next: string }>('select pg_current_xact_id()::xid8::text as next');
    const ahead = (by: bigint): string => String(BigInt(rows[0]!.next) + by);
    const failedOver = `the source failed over, or was set back, since wave 1 was copied`;
    // The same cluster on its next timeline; where none was noted this leaves none, and nothing is refused.
    await target.query(
      `update cutover.fence set server = split_part(server, '/', 1) || '/00000002' where key = 'wave/1'`,
    );
    await source.query(`update old.bill set amount = '999' where bill_no = '7'`);
    await expect(settle(it_, 1)).rejects.toThrow(failedOver);
    await expect(verifyWave(it_.pair, it_.compiled, 1, 1, { scope: 'live' })).rejects.toThrow(failedOver);
    const at = (position: string): Promise<unknown> =>
      target.query(`update cutover.fence set server = null, position = $1 where key = 'wave/1'`, [position]);
    await at(`${ahead(1_000_000n)}:${ahead(1_000_000n)}:`);
    await expect(settle(it_, 1)).rejects.toThrow(failedOver);
  });

  it('of the target its whole log is applied again', async () => {
    const { source, target } = it_.pair;
    await switchOver(it_, 1);
    const carry = async (): Promise<unknown> =>
      ((await carryBackPass(it_.pair, it_.compiled, 1, 1)) as { rows?: number }).rows;
    const serverKept = (): Promise<string[]> => lines(source, `select server from cutover.fence where key = 'wave/1'`);
    const server = await serverKept();
    await target.query(`update fresh.invoice set amount = 1.5 where invoice_no = 7`);
    await source.query(
      `update cutover.fence set server = '1/00000001', position = '900000000:900000000:' where key = 'wave/1'`,
    );
    expect(await carry()).toBe(1);
    expect(await serverKept()).toEqual(server); // or each pass would apply the whole log again
    await expectEqual(it_, 1);
    await target.query(`update fresh.invoice set amount = 2.5 where invoice_no = 7`);
    expect(await carry()).toBe(1);
    expect(await carry()).toBe(0);
  });

  it('nothing is gone of what a position calls ended: it is on disk when the position is kept', async () => {
    const { source } = it_.pair;
    for (let round = 0; round < 20; round++) {
      // The log's own writer may be quicker, now and then.
      await source.query(`begin; set local synchronous_commit = off; update old.bill set memo = '${round}'; commit`);
      const [ended] = await lines(source, 'select pg_current_wal_insert_lsn()');
      await inSnapshot(source, () => Promise.resolve());
      expect(await lines(source, `select pg_current_wal_flush_lsn() >= '${ended!.slice(1, -1)}'::pg_lsn`)).toEqual([
        '(t)',
      ]);
    }
  });
});
