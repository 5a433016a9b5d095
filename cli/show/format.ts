import Table from 'cli-table3';
import type { Cli } from '../cli';
import { colorsOf } from '../cli';

/** `22:04:31Z` today, with the date before it on other days; UTC. */
export function clock(at: number | null, nowMs: number): string {
  if (at === null) return '';
  const text = new Date(at).toISOString();
  const today = new Date(nowMs).toISOString().slice(0, 10) === text.slice(0, 10);
  return today ? `${text.slice(11, 19)}Z` : `${text.slice(0, 10)} ${text.slice(11, 16)}Z`;
}

/** `45 s`, `12 min`, `1 h 05 min`, `5 d 2 h`. */
export function span(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export const shortDigest = (digest: string | null): string => digest?.slice(0, 12) ?? '';

/** A table without frames, with a bold head; empty when there are no rows. */
export function table(cli: Cli, head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const bold = colorsOf(cli).bold;
  const none = '';
  const grid = new Table({
    head: head.map((text) => bold(text)),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: {
      ...{ top: none, 'top-mid': none, 'top-left': none, 'top-right': none },
      ...{ bottom: none, 'bottom-mid': none, 'bottom-left': none, 'bottom-right': none },
      ...{ left: none, 'left-mid': none, mid: none, 'mid-mid': none, right: none, 'right-mid': none, middle: none },
    },
  });
  grid.push(...rows.map((row) => [...row]));
  return grid
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Of a cutover whose own run is dead. */
export const DEAD =
  'its run was terminated or failed; the guardian takes back what is not in the target (see: cutover doctor)';

/** The status word in the colour people expect. */
export function statusWord(cli: Cli, status: string): string {
  const color = colorsOf(cli);
  if (['done', 'passed', 'live', 'pass', 'ok'].includes(status)) return color.green(status);
  if (['failed', 'refused', 'fail', 'rolled-back', 'aborted', 'rolling-back', 'bad', 'dead'].includes(status))
    return color.red(status);
  if (status.startsWith('waiting') || ['open', 'held', 'paused', 'warn'].includes(status)) return color.yellow(status);
  if (status === 'running') return color.cyan(status);
  return color.dim(status);
}
