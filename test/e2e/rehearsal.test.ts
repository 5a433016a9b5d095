import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ReportJson } from '../../cli/report/report-json';
import { projectDir } from '../../local/paths';
import { removeStack } from '../../local/stack';

jest.setTimeout(1_500_000);

const name = `e2e-rehearsal-${process.pid}`;
const out = join(projectDir(), 'out');

describe('a night that is rehearsed first', () => {
  const before = new Set(reports());
  afterAll(async () => {
    await removeStack(name);
    for (const id of reports().filter((each) => !before.has(each))) rmSync(join(out, id), { recursive: true });
  });

  it('is played on copies at pace 60, planned with what that measured, and says how far off the forecast was', async () => {
    const demo = join(projectDir(), 'dist', 'local', 'demo', 'main.js');
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [demo, '--rehearse', '--brief', '--customers', '150', '--stack', name],
      { maxBuffer: 64 * 1024 * 1024 },
    );
    expect(stdout).not.toContain('BROKEN');
    expect(stdout.match(/held {4}CONSERVE/g)).toHaveLength(2);
    expect(stdout).toMatch(
      /Forecast by the rehearsal: work of machines [\d.]+ s, taken [\d.]+ s, step by step \d+ % off; frozen in pilot:/,
    );
    const [rehearsal, night] = reports()
      .filter((each) => !before.has(each))
      .map((id) => JSON.parse(readFileSync(join(out, id, 'report.json'), 'utf8')) as ReportJson)
      .sort((a) => (a.plan.mode === 'rehearsal' ? -1 : 1));
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

function reports(): string[] {
  try {
    return readdirSync(out);
  } catch {
    return [];
  }
}
