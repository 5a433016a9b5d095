import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The project's folder: the nearest one above this file that holds package.json. */
export function projectDir(from: string = __dirname): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error(`No package.json above ${__dirname}`);
  return projectDir(parent);
}

/** The build that runs; from source, the one beside it. A copy of a build starts programs of its own. */
export const BUILT_DIR = __filename.endsWith('.js') ? join(__dirname, '..') : join(projectDir(), 'dist');

/** Everything the local stack writes: `.cutover/<stack>` in the project. */
export function stackDir(stack: string): string {
  const dir = join(projectDir(), '.cutover', stack);
  mkdirSync(dir, { recursive: true });
  return dir;
}

/** Built or unpacked once per user, shared by all checkouts. */
export function cacheDir(...parts: string[]): string {
  const dir = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'cutover', ...parts);
  mkdirSync(dir, { recursive: true });
  return dir;
}

/** True when every folder down to `path` may be entered by any user: PostgreSQL will not run as root. */
export function enterableByAll(path: string): boolean {
  const full = resolve(path);
  const mode = statSync(full).mode & 0o005;
  if (mode !== 0o005) return false;
  return dirname(full) === full ? true : enterableByAll(dirname(full));
}

/** A folder any user can reach, one for each `path`, for when `path` itself lies under a private folder. */
export function reachableTwin(path: string): string {
  const name = createHash('sha256').update(resolve(path)).digest('hex').slice(0, 12);
  const dir = join(tmpdir(), `cutover-${name}`);
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  accessSync(dir, constants.W_OK);
  return dir;
}
