import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import { projectDir } from '../../local/paths';
import { HISTORIES_DIR, readHistory } from '../e2e/support/record';

jest.setTimeout(120_000);

const BUNDLE = join(projectDir(), 'dist', 'workflows', 'workflow-bundle.js');
const names = readdirSync(HISTORIES_DIR).map((file) => file.replace('.json', ''));

beforeAll(() => {
  const filter = makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' });
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter } } });
});

/** A run that is under way must go on with new code: a difference here would stop it in the night. */
test('every recorded run of the tiny runbook replays with the code as built', async () => {
  const results = Worker.runReplayHistories({ workflowBundle: { codePath: BUNDLE } }, names.map(readHistory));
  const failed: string[] = [];
  let replayed = 0;
  for await (const { workflowId, error } of results) {
    replayed += 1;
    if (error) failed.push(`${workflowId}: ${error.message}`);
  }
  expect(failed).toEqual([]);
  expect(replayed).toBe(names.length);
});

test('finished, rolled-back, paused and continued runs are among them', () => {
  for (const kind of ['finished', 'rolled-back', 'paused', 'continued'])
    expect(names.some((name) => name.startsWith(`${kind}-`))).toBe(true);
});

test('a history that another code would have made does not replay', async () => {
  const { workflowId, history } = readHistory('finished-wave');
  const step = history.events?.find(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'freeze',
  );
  Object.assign(step?.activityTaskScheduledEventAttributes?.activityType ?? {}, { name: 'thaw' });
  await expect(Worker.runReplayHistory({ workflowBundle: { codePath: BUNDLE } }, history, workflowId)).rejects.toThrow(
    /nondeterminism/i,
  );
});
