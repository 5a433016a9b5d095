import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TINY_CONVERSION, TINY_PLAN, TINY_RUNBOOK } from '../runbooks/fixtures/tiny';

const MAIN = path.join(__dirname, '..', '..', 'dist', 'cli', 'main.js');

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the built command as people do. */
function cutover(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

async function folder(wrong: string = '', right: string = wrong): Promise<string> {
  if (!TINY_RUNBOOK.includes(right)) throw new Error('the edit does not match the fixture');
  const dir = await mkdtemp(path.join(tmpdir(), 'cutover-check-'));
  await writeFile(path.join(dir, 'runbook.yaml'), TINY_RUNBOOK.replace(right, wrong));
  await writeFile(path.join(dir, 'conversion.yaml'), TINY_CONVERSION);
  await writeFile(path.join(dir, 'plan.yaml'), TINY_PLAN);
  return dir;
}

describe('cutover check', () => {
  it('finds nothing wrong with the shipped runbook and ends with 0', async () => {
    const ended = await cutover(
      'check',
      'runbooks/billing-oss/runbook.yaml',
      '--plan',
      'runbooks/billing-oss/plan.yaml',
    );
    expect(ended).toEqual({ code: 0, stdout: expect.stringMatching(/^nothing wrong/m), stderr: '' });
  });

  it('names file, line and column of each mistake and ends with 1', async () => {
    const dir = await folder('signedBy: [lead, nobody]', 'signedBy: [lead, ops]');
    const line =
      (await readFile(path.join(dir, 'runbook.yaml'), 'utf8'))
        .split('\n')
        .findIndex((each) => each.includes('nobody')) + 1;
    const ended = await cutover('check', path.join(dir, 'runbook.yaml'), '--plan', path.join(dir, 'plan.yaml'));
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(new RegExp(`^${dir}/runbook\\.yaml:${line}:\\d+: .*nobody.*\\[unknown-role\\]$`, 'm'));
    expect(ended.stdout).toMatch(/^\d+ errors?/m);
  });

  it('prints findings as JSON on request', async () => {
    const dir = await folder('timeZome:', 'timeZone:');
    const ended = await cutover('check', path.join(dir, 'runbook.yaml'), '--output', 'json');
    expect(ended.code).toBe(1);
    const printed: unknown = JSON.parse(ended.stdout);
    expect(printed).toMatchObject({ ok: false });
    expect(printed).toHaveProperty(
      'findings',
      expect.arrayContaining([expect.objectContaining({ line: 4, column: 1 })]),
    );
  });

  it('ends with 2 when the file is not there', async () => {
    const ended = await cutover('check', 'no-such.yaml');
    expect(ended).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('no-such.yaml cannot be read (ENOENT)'),
    });
  });
});

describe('cutover plan', () => {
  it('shows the timeline, the expected frozen time, the critical path and back out by', async () => {
    const dir = await folder();
    const args = ['plan', path.join(dir, 'runbook.yaml'), '--plan', path.join(dir, 'plan.yaml')];
    const from = ['--from', '2026-11-27T09:00:00+01:00'];
    const { code, stdout } = await cutover(...args, ...from);
    expect(code).toBe(0);
    expect(stdout).toMatch(/freeze\s+2026-11-28 21:\d\dZ/);
    expect(stdout).toContain('expected frozen time');
    expect(stdout).toMatch(/Critical path: .*wave-1\/freeze → wave-1\/convert/);
    const json = await cutover(...args, ...from, '--output', 'json');
    const timeline = JSON.parse(json.stdout) as Record<'expectedFrozenMs' | 'backOutBy' | 'rollbackMs', number>;
    expect(timeline.expectedFrozenMs).toBeGreaterThan(0);
    expect(timeline.rollbackMs).toBeGreaterThan(0);
    expect(timeline.backOutBy).toBe(Date.parse('2026-11-29T04:00:00Z') - timeline.rollbackMs);
  });
});
