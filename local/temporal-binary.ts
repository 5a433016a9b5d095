import { execFile, spawn } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  createWriteStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { withLock } from './lock';
import { cacheDir } from './paths';

/** Later versions of the CLI cannot be installed with `go install`. */
const TEMPORAL_CLI_VERSION = 'v1.5.1';
const GO_MODULE = `github.com/temporalio/cli/cmd/temporal@${TEMPORAL_CLI_VERSION}`;
const ARCHIVES = 'https://temporal.download/cli/archive';
const DOWNLOAD_TIMEOUT_MS = 15_000;
const BUILD_TIMEOUT_MS = 20 * 60_000;
const PROGRESS_EVERY_MS = 15_000;
/** Folders of attempts; one that is there when the lock is free belongs to an attempt that was killed. */
const NEW = 'new-';
const FILE = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

export interface BinarySearch {
  env: NodeJS.ProcessEnv;
  /** Told what takes long; one line each. */
  log: (line: string) => void;
  /** Where binaries are kept; default: the user's cache. */
  cache?: string;
  /** Where archives are downloaded from; default: Temporal's own site. */
  archives?: string;
}

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

const onPath = (command: string, env: NodeJS.ProcessEnv): string | undefined =>
  (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, command))
    .find(isExecutable);

/** A binary that is there already: `TEMPORAL_CLI_PATH`, the PATH, the cache. Builds and downloads nothing. */
export function findTemporalBinary(search: Pick<BinarySearch, 'env' | 'cache'>): string | undefined {
  const named = search.env['TEMPORAL_CLI_PATH'];
  if (named) {
    if (!isExecutable(named)) throw new Error(`TEMPORAL_CLI_PATH names ${named}, which is no program`);
    return named;
  }
  const cached = join(search.cache ?? cacheDir('temporal', TEMPORAL_CLI_VERSION), FILE);
  return onPath(FILE, search.env) ?? (isExecutable(cached) ? cached : undefined);
}

/**
 * The Temporal CLI, by the order of DESIGN §11: named, on the PATH, in the cache, downloaded, built with go. Two
 * processes that need it at once wait for one another; a broken download or build leaves nothing behind.
 */
export async function temporalBinary(search: BinarySearch): Promise<string> {
  const found = findTemporalBinary(search);
  if (found !== undefined) return found;
  const cache = search.cache ?? cacheDir('temporal', TEMPORAL_CLI_VERSION);
  const make = async (): Promise<string> => {
    const made = findTemporalBinary(search);
    if (made !== undefined) return made;
    for (const left of readdirSync(cache))
      if (left.startsWith(NEW)) rmSync(join(cache, left), { recursive: true, force: true });
    const problems: string[] = [];
    for (const [how, attempt] of [
      ['download', download],
      ['go install', goInstall],
    ] as const) {
      try {
        return await inTempDir(cache, (dir) => attempt(dir, search));
      } catch (error) {
        problems.push(`${how}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    throw new Error(
      `No Temporal server. Install the Temporal CLI (https://docs.temporal.io/cli) so that \`temporal\` is on the PATH, or go 1.24 or ` +
        `newer to build it, or set TEMPORAL_ADDRESS to a running server.\n  ${problems.join('\n  ')}`,
    );
  };
  return withLock(join(cache, 'lock'), make, () =>
    search.log('Another process is getting the Temporal CLI; waiting for it.'),
  );
}

/** Lets `attempt` make the binary in a folder of its own and moves it into place in one step. */
async function inTempDir(cache: string, attempt: (dir: string) => Promise<void>): Promise<string> {
  const dir = mkdtempSync(join(cache, NEW));
  try {
    await attempt(dir);
    const made = join(dir, FILE);
    chmodSync(made, 0o755);
    await promisify(execFile)(made, ['--version'], { timeout: 30_000 });
    renameSync(made, join(cache, FILE));
    return join(cache, FILE);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * Fetches the same archive as the SDK's own download. The SDK's runs inside its native code, starts a server with it,
 * and can be neither given a deadline nor stopped; where there is no network this one gives up in seconds.
 */
async function download(dir: string, search: BinarySearch): Promise<void> {
  const platform = { linux: 'linux', darwin: 'darwin', win32: 'windows' }[process.platform as string];
  const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];
  if (!platform || !arch) throw new Error(`no archive for ${process.platform}-${process.arch}`);
  const url = `${search.archives ?? ARCHIVES}/${TEMPORAL_CLI_VERSION}?platform=${platform}&arch=${arch}`;
  const connect = new AbortController();
  const timer = setTimeout(
    () => connect.abort(new Error(`no answer within ${DOWNLOAD_TIMEOUT_MS / 1000} s`)),
    DOWNLOAD_TIMEOUT_MS,
  );
  let response: Response;
  try {
    response = await fetch(url, { signal: connect.signal });
  } catch (cause) {
    throw new Error(`${new URL(url).host} cannot be reached`, { cause });
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok || !response.body) throw new Error(`${new URL(url).host} answered ${response.status}`);
  search.log(`Downloading the Temporal CLI ${TEMPORAL_CLI_VERSION}.`);
  const archive = join(dir, 'archive');
  await pipeline(Readable.fromWeb(response.body), createWriteStream(archive));
  await promisify(execFile)('tar', ['-xf', archive, '-C', dir], { timeout: 60_000 });
  if (!existsSync(join(dir, FILE))) throw new Error('the archive holds no temporal');
}

/** Builds the CLI from its sources through the Go module proxy, into `dir`. */
async function goInstall(dir: string, search: BinarySearch): Promise<void> {
  if (!onPath(process.platform === 'win32' ? 'go.exe' : 'go', search.env)) throw new Error('go is not installed');
  const startedAt = Date.now();
  search.log(`Building the Temporal CLI ${TEMPORAL_CLI_VERSION} with go: about 4 minutes, once for this user.`);
  const tick = setInterval(
    () => search.log(`Still building the Temporal CLI (${Math.round((Date.now() - startedAt) / 1000)} s).`),
    PROGRESS_EVERY_MS,
  );
  try {
    await new Promise<void>((resolve, reject) => {
      const go = spawn('go', ['install', GO_MODULE], {
        env: { ...search.env, GOBIN: dir },
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: BUILD_TIMEOUT_MS,
      });
      let said = '';
      go.stderr.on('data', (data: Buffer) => (said = `${said}${data.toString()}`.slice(-2_000)));
      go.once('error', reject);
      go.once('close', (code) =>
        code === 0 ? resolve() : reject(new Error(`ended with ${code}. ${said.trim().split('\n').at(-1) ?? ''}`)),
      );
    });
  } finally {
    clearInterval(tick);
  }
}
