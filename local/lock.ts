import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { processMark } from './processes';

const POLL_MS = 250;

const holder = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
};

const lives = (text: string): boolean => {
  const [pid, mark] = text.split(' ');
  return processMark(Number(pid)) === mark;
};

/** Takes the lock if it is free or its holder is dead. A linked file appears with its content or not at all. */
function tryLock(file: string): boolean {
  const mine = `${file}.${randomUUID()}`;
  writeFileSync(mine, `${process.pid} ${processMark(process.pid)}`);
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(mine, { force: true });
  }
  const found = holder(file);
  if (found !== null && !lives(found)) setAside(file);
  return false;
}

/** Removes a dead holder's lock. Two may try: the second finds nothing, and both go on to compete for the lock. */
function setAside(file: string): void {
  const dead = `${file}.${randomUUID()}`;
  try {
    renameSync(file, dead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return;
  }
  const moved = holder(dead);
  // Somebody alive took the lock between the look and the rename: it is theirs, unless a third has it by now.
  if (moved !== null && lives(moved)) tryLink(dead, file);
  rmSync(dead, { force: true });
}

function tryLink(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/**
 * Runs `work` while no other process holds `file`. Waits for a living holder, calling `onWait` once; a dead one is
 * passed over. What is guarded must still bear two at once (atomic renames): a lock file is a courtesy, not a fence.
 */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  onWait: () => void = () => undefined,
): Promise<T> {
  let told = false;
  while (!tryLock(file)) {
    if (!told) onWait();
    told = true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}
