import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../cli/run-cli';
import type { Diagnosis } from '../../cli/doctor/finding';
import { projectDir } from '../../local/paths';
import { withClient } from '../../local/with-client';
import { TINY_SOURCE_SQL, TINY_TARGET_SQL, tinyFillSql } from '../runbooks/tiny/schema';
import { freshDatabase } from '../support/databases';
import { fakeCli } from './support/fake-cli';

const SIDES = ['source', 'target', 'control'] as const;
type Side = (typeof SIDES)[number];

const FOLDER = join(projectDir(), 'test', 'runbooks', 'tiny');
const role = `poor_${process.pid}`;
const owner = `rich_${process.pid}`;
const urls = {} as Record<Side, string>;

const as = (url: string, user: string): string => url.replace(/\/\/[^@]+@/, `//${user}@`);
const run = (url: string, sql: string): Promise<unknown> => withClient(url, (client) => client.query(sql));

beforeAll(async () => {
  for (const side of SIDES) urls[side] = await freshDatabase(`live_${side}`);
  await run(urls.source, `create role ${role} login; create role ${owner} login;`);
  for (const side of SIDES) {
    const name = new URL(urls[side]).pathname.slice(1);
    await run(
      urls[side],
      `revoke temporary on database ${name} from public; grant create on database ${name} to ${owner}`,
    );
  }
  await run(as(urls.source, owner), TINY_SOURCE_SQL + tinyFillSql(3));
  await run(as(urls.target, owner), TINY_TARGET_SQL);
});
afterAll(async () => {
  for (const side of SIDES) await run(urls[side], `drop owned by ${role}, ${owner} cascade`);
  await run(urls.source, `drop role ${role}; drop role ${owner};`);
});

async function look(
  users: Partial<Record<Side, string>> = {},
  folder = FOLDER,
): Promise<{ code: number; live: Diagnosis[]; printed: string }> {
  const url = (side: Side): string => as(urls[side], users[side] ?? role);
  const cli = fakeCli({ SOURCE_URL: url('source'), TARGET_URL: url('target'), CONTROL_URL: url('control') });
  const code = await runCli(
    ['check', join(folder, 'runbook.yaml'), '--plan', join(folder, 'plan.yaml'), '--live', '-o', 'json'],
    cli,
  );
  return { code, live: (JSON.parse(cli.stdout) as { live: Diagnosis[] }).live, printed: cli.stdout + cli.stderr };
}

const grants = (live: Diagnosis[], side: Side): string[] =>
  live.flatMap(({ what, remedy }) => (what.startsWith(side) && remedy?.startsWith('grant ') ? [remedy] : []));

test('a role without rights is told each one it lacks, the statements it is told are enough, and each is needed', async () => {
  const poor = await look();
  expect(poor.code).toBe(1);
  expect(poor.printed).not.toContain('postgres://');
  const told = Object.fromEntries(SIDES.map((side) => [side, grants(poor.live, side)])) as Record<Side, string[]>;
  const database = (side: Side): string => new URL(urls[side]).pathname.slice(1);
  for (const side of ['source', 'target'] as const)
    expect(told[side]).toEqual([
      `grant create on database ${database(side)} to ${role};`,
      `grant temporary on database ${database(side)} to ${role};`,
      `grant ${owner} to ${role};`,
      `grant pg_read_all_stats to ${role};`,
    ]);
  expect(told.control).toEqual([`grant create on database ${database('control')} to ${role};`]);
  for (const side of SIDES) await run(urls[side], told[side].join('\n'));
  const rich = await look();
  expect(rich.live.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
  expect(rich.code).toBe(0);
  await run(urls.target, `revoke temporary on database ${database('target')} from ${role}`);
  expect(grants((await look()).live, 'target')).toEqual([
    `grant temporary on database ${database('target')} to ${role};`,
  ]);
  await run(urls.target, told.target.join('\n'));
});

test('who is in the way, and settings that would undo the move, are named with what to do', async () => {
  await run(urls.source, `begin; insert into tiny.note (customer) values ('t1'); prepare transaction 'left over'`);
  await run(
    urls.target,
    `alter role ${role} set session_replication_role = replica; alter role ${role} set default_transaction_read_only = on`,
  );
  try {
    const { code, live } = await look();
    const found = (pattern: RegExp): Diagnosis | undefined => live.find(({ said }) => pattern.test(said));
    expect(code).toBe(1);
    expect(found(/was prepared/)).toMatchObject({
      verdict: 'warn',
      remedy: expect.stringContaining("rollback prepared 'left over';") as string,
    });
    expect(found(/session_replication_role is replica/)).toMatchObject({ verdict: 'bad' });
    expect(found(/read-only/)).toMatchObject({ remedy: `alter role ${role} reset default_transaction_read_only;` });
  } finally {
    await run(urls.source, `rollback prepared 'left over'`);
    await run(urls.target, `alter role ${role} reset all`);
  }
});

test('measures, totals, requests and work are held against the tables, although schema cutover is not there yet', async () => {
  const users = { source: 'postgres', target: 'postgres', control: 'postgres' };
  const refused = async (): Promise<string[]> =>
    (await look(users)).live.filter(({ verdict }) => verdict === 'bad').map(({ what, said }) => `${what}: ${said}`);
  expect(await refused()).toEqual([]);
  const folder = mkdtempSync(join(tmpdir(), 'cutover-live-'));
  for (const file of ['conversion.yaml', 'plan.yaml', 'runbook.yaml']) {
    const text = readFileSync(join(FOLDER, file), 'utf8');
    const broken = text
      .replace('select count(*) from tiny.note where $1', 'select count(*) from tiny.nite where $1')
      .replace('from shop.memo where not done', 'from shop.memo where not ready')
      .replace('insert into tiny.note (customer, body)', 'insert into tiny.note (customer, bodi)')
      .replace("open: not done and body like 'urgent%'", 'open: urgent');
    writeFileSync(join(folder, file), broken);
  }
  const { live } = await look(users, folder);
  rmSync(folder, { recursive: true });
  const told = live.filter(({ verdict }) => verdict === 'bad').map(({ what, said }) => `${what}: ${said}`);
  expect(told).toEqual([
    expect.stringMatching(/^work urgent: column "urgent" does not exist/),
    expect.stringMatching(/^success, notes \(source\): relation "tiny.nite" does not exist/),
    expect.stringMatching(/^requests, note \(source\): column "bodi" .* does not exist/),
    expect.stringMatching(/^totals, openNotes \(target\): column "ready" does not exist/),
  ]);
  const schemas = await withClient(urls.source, (client) =>
    client.query(`select to_regnamespace('cutover') is null as gone`),
  );
  expect(schemas.rows).toEqual([{ gone: true }]);
});

test('what does not fit the databases, a superuser, and a role that is refused are findings', async () => {
  await run(urls.target, 'alter table shop.memo rename column words to text; drop sequence shop.memo_seq cascade');
  const { live } = await look({ source: 'postgres' });
  expect(live.find(({ what }) => what === 'conversion, entity memo, column words')).toMatchObject({ verdict: 'bad' });
  expect(live.find(({ said }) => said.startsWith('there is no sequence shop.memo_seq'))).toMatchObject({
    verdict: 'bad',
  });
  expect(live.find(({ said }) => said === 'the role is a superuser')).toMatchObject({ verdict: 'warn' });
  const refused = await look({ control: 'nobody_at_all' });
  expect(refused.code).toBe(4);
});
