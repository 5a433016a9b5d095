import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ReportJson } from '../../cli/report/report-json';
import { projectDir } from '../../local/paths';
import { removeStack } from '../../local/stack';

jest.setTimeout(1_500_000);

const name = `e2e-rehearsal-${process.pid}`;
const out = join(projectDir(), 'out');

describe('a night that is rehearsed first', () => {
  let ids: string[] = [];
  afterAll(async () => {
    await removeStack(name);
    for (const id of ids) rmSync(join(out, id), { recursive: true });
  });

  it('is played on copies at pace 60, planned with what that measured, and says how far off the forecast was', async () => {
    const demo = join(projectDir(), 'dist', 'local', 'demo', 'main.js');
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [demo, '--rehearse', '--brief', '--customers', '150', '--stack', name],
      { maxBuffer: 64 * 1024 * 1024, timeout: 1_400_000 },
    );
    ids = [...stdout.matchAll(/Report: out\/(\S+)\/report\.html/g)].map(([, id]) => id ?? '');
    expect(stdout).not.toContain('BROKEN');
    expect(stdout.match(/held {4}CONSERVE/g)).toHaveLength(2);
    expect(stdout).toMatch(
      /Forecast by the rehearsal: work of machines [\d.]+ s, taken [\d.]+ s, step by step \d+ % off; frozen in pilot:/,
    );
    const [rehearsal, night] = ids.map(
      (id) => JSON.parse(readFileSync(join(out, id, 'report.json'), 'utf8')) as ReportJson,
    );
    expect([rehearsal?.plan, night?.plan]).toMatchObject([
      { mode: 'rehearsal', pace: 60 },
      { mode: 'real', pace: 1 },
    ]);
    const preload = (report: ReportJson | undefined) =>
      report?.steps.filter(({ kind }) => kind === 'preload').map(({ planned, actual }) => ({ planned, actual }));
    const longest = Math.max(...(preload(rehearsal) ?? []).map(({ actual }) => actual.seconds ?? 0));
    expect(preload(night)?.map(({ planned }) => planned.seconds)).toEqual([longest, longest]);
  });
});
