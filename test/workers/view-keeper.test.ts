import type { WorkflowInfo } from '@temporalio/workflow';
import type { Pool } from 'pg';
import pino from 'pino';
import type { ShownView } from '../../engine/view';
import { readViews } from '../../systems/control/views';
import { keepViews } from '../../workers/view-keeper';
import { waitUntil } from '../support/wait-until';
import { controlDatabase } from '../systems/control/control-database';

let control: Pool;
const ending = new AbortController();
beforeAll(async () => {
  control = await controlDatabase('views');
});
afterAll(async () => {
  ending.abort();
  await control.end();
});

const view = (phase: string): ShownView => ({
  cutover: 'night-1',
  wave: 1,
  kind: 'run',
  body: JSON.stringify({ phase }),
});
const run = { firstExecutionRunId: 'first', runId: 'second', runStartTime: new Date() };
const at = (historyLength: number) => ({ ...run, historyLength }) as WorkflowInfo;
const phases = async () => (await readViews(control, 'night-1')).map(({ body }) => (body as { phase: string }).phase);

test('what one task shows is kept when the task is answered: the last of it', async () => {
  const { fn } = keepViews(control, pino({ level: 'silent' }), ending.signal).views.shown;
  await Promise.all(['freeze', 'drain', 'convert'].map(async (phase) => fn(at(10), view(phase))));
  expect(await phases()).toEqual(['convert']);
  expect(await readViews(control, 'night-1')).toMatchObject([{ chain: 'first' }]);
  await fn(at(5), view('an attempt that woke late'));
  expect(await phases()).toEqual(['convert']);
});

test('while control cannot be written to, tasks go on; the newest view is kept once it can', async () => {
  const lines: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  const { fn } = keepViews(control, logger, ending.signal).views.shown;
  await control.query('alter table control.view rename to gone');
  await fn(at(20), view('verify'));
  await fn(at(30), view('switch'));
  await control.query('alter table control.gone rename to view');
  await waitUntil(async () => (await phases())[0] === 'switch');
  expect(lines.join()).toContain('view not kept yet');
});
