import { postgresCustody } from '../../../../systems/postgres/custody';
import { membershipDigest } from '../../../../systems/postgres/data/census';
import { planChunks } from '../../../../systems/postgres/data/chunks';
import { runPass } from '../../../../systems/postgres/data/pass';
import { readPosition, startCarryBack } from '../../../../systems/postgres/data/position';
import { startCopy, type CopyOwner } from '../../../../systems/postgres/data/kept-copy';
import { preloadChunk } from '../../../../systems/postgres/data/preload';
import { quarantine } from '../../../../systems/postgres/data/quarantine';
import { copyReference } from '../../../../systems/postgres/data/reference';
import { alignTargetSequences } from '../../../../systems/postgres/data/sequences';
import { lines, type Example } from './example';

export const LEASE_MS = 60_000;
export const OWNER: CopyOwner = { cutover: 'night-1', conversion: 'as it is' };

export const mine = (wave: number, customer: string): string => `cutover.wave_of(${customer}) = ${wave}`;

/** The mapping written a second time by hand: source query, target query. */
const SAME: [string, string, string, string][] = [
  [
    `select id, btrim(name), email, (case when btrim(total) = '' and tenure = '0' then 0.00 else nullif(btrim(total), '')::numeric end)::text,
       tenure::int, senior = '1', kind, active = 'Y' from old.customer where`,
    'id',
    'select no, full_name, email, total::text, tenure, senior, kind::text, active from fresh.person where',
    'no',
  ],
  [`select id, paper = 'Yes' from old.customer where`, 'id', 'select no, paperless from fresh.account where', 'no'],
  [
    'select bill_no::bigint, cust, amount, mailed from old.bill where',
    'cust',
    'select invoice_no, no, amount::text, mailed from fresh.invoice where',
    'no',
  ],
  [
    'select bill_no::bigint, line_no, cust, amount::numeric(12,2) from old.bill_line where',
    'cust',
    'select invoice_no, line_no, no, amount from fresh.invoice_line where',
    'no',
  ],
  [
    `select cust, v.code from old.feature f cross join lateral (values ('a', f.a), ('b', f.b), ('c', f.c)) v(code, flag) where v.flag = 'Yes' and`,
    'cust',
    'select no, code from fresh.feature where',
    'no',
  ],
  [
    'select key, customer, at from cutover.effect where',
    'customer',
    'select key, customer, at from cutover.effect where',
    'customer',
  ],
];

export async function expectEqual({ pair }: Pick<Example, 'pair'>, wave: number): Promise<void> {
  for (const [source, customer, target, no] of SAME)
    expect(await lines(pair.target, `${target} ${mine(wave, no)}`)).toEqual(
      await lines(pair.source, `${source} ${mine(wave, customer)}`),
    );
}

export async function preload(
  { pair, compiled }: Pick<Example, 'pair' | 'compiled'>,
  wave: number,
  chunkRows = 7,
  begun: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  await copyReference(pair, compiled, wave, 1);
  expect(await startCopy(pair, wave, 1, OWNER, compiled)).toHaveProperty('position');
  await begun();
  for (const chunk of await planChunks(compiled, pair.source, wave, chunkRows))
    expect(await preloadChunk(pair, compiled, { ...chunk, wave, epoch: 1 })).toMatchObject({ outcome: 'done' });
}

export async function settle({ pair, compiled }: Pick<Example, 'pair' | 'compiled'>, wave: number): Promise<void> {
  let left = 1;
  for (let tries = 0; left > 0 && tries < 20; tries++) {
    const pass = await runPass(pair, compiled, wave, 1);
    if (pass.outcome !== 'applied') throw new Error(pass.outcome);
    left = pass.lagRows;
  }
  expect(left).toBe(0);
}

/** Excludes who cannot be mapped, moves the wave, and opens the target. */
export async function switchOver({ pair, compiled }: Example, wave: number): Promise<void> {
  const custody = { source: postgresCustody(pair.source), target: postgresCustody(pair.target) };
  const { customers } = await quarantine(pair.source, compiled, wave);
  for (const side of ['target', 'source'] as const) await custody[side].moveMembers(customers, 0);
  await preload({ pair, compiled }, wave);
  await settle({ pair, compiled }, wave);
  expect(await custody.source.freeze(wave, 1, LEASE_MS)).toMatchObject({ outcome: 'frozen' });
  await settle({ pair, compiled }, wave);
  expect(await membershipDigest(pair.source, wave)).toBe(await membershipDigest(pair.target, wave));
  await alignTargetSequences(pair, compiled);
  expect(await startCarryBack(pair, wave, 1)).toHaveProperty('position');
  expect(await custody.source.seal(wave, 1, (await readPosition(pair.target, wave))!)).toEqual({ outcome: 'sealed' });
  expect(await custody.target.open(wave, 1)).toEqual({ outcome: 'done' });
}
