import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Side } from '../../domain/custody';
import { stackDir } from '../../local/paths';
import { startPostgres, type PostgresServer } from '../../local/postgres';
import { SystemFault } from '../../systems/ports';
import { connect } from '../../systems/postgres/connect';
import { ownerOf, type Mover } from './actor';
import { Children } from './children';
import { moveWave } from './moves';
import type { Options } from './options';
import { startProber, type Probed } from '../support/prober';
import { Random } from '../support/random';
import { judge, type Verdict } from './verdict';
import { createWorld, CUSTOMERS, enterWorld, WAVES, type Urls } from './world';

export interface Result {
  findings: string[];
  counts: Record<string, number>;
  operations: Verdict['operations'];
  probes: number;
}

const MOVERS = 3;
const WRITER_PROCESSES = 2;
const SETTLE_TRIES = 40;
const MOST_TIMES = 4;

/** Fewer moves of waves than this prove nothing. */
export const leastMoves = (seconds: number): number => Math.max(3, seconds / 4);

/** Starts two servers, puts both systems under load for the time asked for, and says what was broken. Stops early when asked. */
export async function run(options: Options, stop: AbortSignal): Promise<Result> {
  const dir = stackDir(`protocol-${process.pid}`);
  const settings = { fsync: 'off', max_connections: '100' };
  const servers: PostgresServer[] = [];
  try {
    for (const side of ['source', 'target']) {
      mkdirSync(join(dir, side), { recursive: true });
      servers.push(await startPostgres(join(dir, side), settings));
    }
    const [source, target] = servers as [PostgresServer, PostgresServer];
    const urls = { source: source.url('postgres'), target: target.url('postgres') };
    await createWorld(urls);
    return await load(urls, dir, options, stop);
  } finally {
    await Promise.all(servers.map((server) => server.stop('immediate')));
    rmSync(dir, { recursive: true, force: true });
  }
}

const PROBE = `insert into app.item values ($1, $2, '{}')`;
const probed = (urls: Urls): Probed => ({
  urls,
  writes: { source: PROBE, target: PROBE },
  customers: CUSTOMERS,
  waves: WAVES,
});

async function load(urls: Urls, dir: string, options: Options, stop: AbortSignal): Promise<Result> {
  const random = new Random(options.seed);
  const children = new Children(urls, dir, random, Math.max(1, Math.round(options.writers / WRITER_PROCESSES)));
  for (let n = 0; n < WRITER_PROCESSES; n++) children.spawn('writer');
  for (let n = 0; n < MOVERS; n++) children.spawn('mover');
  const prober = startProber(probed(urls), new Random(options.seed + 1), (what) => children.broken.push(what));
  await disturb(urls, children, random, options, stop);
  await children.end();
  await prober.stop();
  await endOrphans(urls, children, random);
  const ending = await settle(urls, children, new Random(options.seed + 2));
  return {
    findings: [...new Set([...children.broken, ...ending.findings])],
    counts: Object.fromEntries([...children.counts].sort(([a], [b]) => (a < b ? -1 : 1))),
    operations: ending.operations,
    probes: prober.probes(),
  };
}

/**
 * Kills processes and ends what they left prepared, for as long as was asked: on a busy machine longer, until enough was
 * moved to prove something, at most MOST_TIMES as long. Each kill waits until everybody is at work again.
 */
async function disturb(
  urls: Urls,
  children: Children,
  random: Random,
  { seconds, untilBroken }: Options,
  stop: AbortSignal,
): Promise<void> {
  const start = performance.now();
  const passed = (): number => (performance.now() - start) / 1_000;
  const enough = (): boolean =>
    !untilBroken && passed() >= seconds && (children.counts.get('moved') ?? 0) >= leastMoves(seconds);
  let nextKill = 1;
  while (!stop.aborted && !enough() && passed() < MOST_TIMES * seconds && children.broken.length === 0) {
    await sleep(100);
    if (passed() < nextKill || !children.allAtWork()) continue;
    children.killOne();
    await endOrphans(urls, children, random);
    nextKill = passed() + 0.6 + random.next() * 2;
  }
}

/** Prepared transactions of dead writers: their transaction manager decides late, one way or the other. */
async function endOrphans(urls: Urls, children: Children, random: Random): Promise<void> {
  for (const url of [urls.source, urls.target]) {
    const pool = connect(url, { applicationName: 'transaction-manager', max: 1 });
    try {
      const found = await pool.query<{ gid: string }>('select gid from pg_prepared_xacts order by gid');
      for (const { gid } of found.rows) {
        if (children.isLiving(Number(gid.split('-')[0]))) continue;
        await pool.query(`${random.chance(0.5) ? 'commit' : 'rollback'} prepared '${gid}'`);
        children.count('orphan-ended');
      }
    } finally {
      await pool.end();
    }
  }
}

/** Judges as it is, then with every wave at the target, then with every wave back at the source. */
async function settle(urls: Urls, children: Children, random: Random): Promise<Verdict> {
  const world = await enterWorld(urls);
  const mover: Mover = {
    world,
    random,
    reckless: false,
    note: (event) => children.count(`end-${event}`),
    broken: (what) => children.broken.push(what),
  };
  const verdict = await judge(world, children.journals);
  try {
    for (const side of ['target', 'source'] as const) {
      for (const wave of WAVES) await bring(mover, wave, side);
      const later = await judge(world, children.journals);
      verdict.findings.push(...later.findings.map((finding) => `with all waves at the ${side}: ${finding}`));
    }
  } catch (error) {
    if (!(error instanceof SystemFault)) throw error;
    verdict.findings.push(`the waves could not be moved any more: ${error.message}`);
  } finally {
    await world.close();
  }
  return verdict;
}

async function bring(mover: Mover, wave: number, side: Side): Promise<void> {
  for (let tries = 0; tries < SETTLE_TRIES; tries++) {
    if ((await ownerOf(mover.world, wave)) === side) return;
    await moveWave(mover, wave);
  }
  mover.broken(`wave ${wave} could not be brought to the ${side}`);
}
