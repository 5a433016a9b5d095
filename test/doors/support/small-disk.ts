import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { query } from './tiny-systems';

export interface SmallDisk {
  /** False: nobody may mount here, and a trigger stands in, which refuses with the SQLSTATE of a full disk. */
  real: boolean;
  release(): Promise<void>;
}

const BYTES = 512 * 1024;

/** Puts a table of the database on a file system of half a megabyte, and fills that. */
export async function onFullDisk(url: string, table: string): Promise<SmallDisk> {
  const folder = mounted(await dataDirectory(url));
  if (folder === null) {
    await query(url, STAND_IN(table));
    return { real: false, release: () => Promise.resolve() };
  }
  const space = `small_${process.pid}_${Date.now()}`;
  await query(url, `create tablespace ${space} location '${folder}'`);
  await query(url, `create table public.filler (x text) tablespace ${space}`);
  await query(url, `alter table ${table} set tablespace ${space}`);
  await fill(url);
  return {
    real: true,
    async release() {
      await query(url, `drop table public.filler`);
      await query(url, `alter table ${table} set tablespace pg_default`);
      await query(url, `drop tablespace ${space}`);
      execFileSync('umount', [folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

const dataDirectory = async (url: string): Promise<string> =>
  (await query<{ data_directory: string }>(url, 'show data_directory'))[0]?.data_directory ?? '';

/** A new file system that belongs to the server's user; null where mounting is not allowed. */
function mounted(dataDirectory: string): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${BYTES}`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
  const owner = statSync(dataDirectory);
  chownSync(folder, owner.uid, owner.gid);
  chmodSync(folder, 0o700);
  return folder;
}

/** Until not even one more row fits. */
async function fill(url: string): Promise<void> {
  for (const length of [60_000, 6_000, 600])
    for (let full = false; !full;)
      await query(
        url,
        `insert into public.filler select string_agg(md5(random()::text || n), '') from generate_series(1, ${length / 32}) n`,
      ).catch((error: { code?: string }) => {
        if (error.code !== '53100') throw error;
        full = true;
      });
}

// Of a trigger's words only `cutover:` ones are shown.
const STAND_IN = (table: string): string => `
  create function public.full_disk() returns trigger language plpgsql as
    $$ begin raise exception 'cutover: could not extend file "base/1/1": No space left on device' using errcode = '53100'; end $$;
  create trigger full_disk before insert on ${table} for each row execute function public.full_disk()`;
