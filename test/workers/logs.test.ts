import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { temporalLogger } from '../../workers/logger';
import { Night } from '../e2e/support/night';
import { Stage } from '../e2e/support/stage';

jest.setTimeout(240_000);

interface Line {
  msg: string;
  cutover?: string;
  wave?: number;
  step?: string;
  attempt?: number;
  workflowId?: string;
  activityType?: string;
}

const NAME = 'Zephyrine Quill';

let stage: Stage;
let night: Night;
let lines: Line[];
let text: string;

beforeAll(async () => {
  stage = await Stage.open('logs');
  await stage.freshDatabases(40);
  await stage.query(
    stage.urlOf('source'),
    `update tiny.customer set label = '${NAME}'; update tiny.note set body = '${NAME} ' || id`,
  );
  await stage.startWorkers({ CUTOVER_LOG_LEVEL: 'debug', BREAK_AT: 'convert:before' });
  night = new Night(stage, `logs-${Date.now().toString(36)}`);
  await night.start();
  const view = await night.play(120_000);
  expect(view?.outcome).toBe('live');
  await stage.stopChildren();
  text = ['worker-1', 'worker-2'].map((name) => readFileSync(join(stage.dir, 'logs', `${name}.log`), 'utf8')).join('');
  lines = text
    .split('\n')
    .filter((line) => line.startsWith('{"level"'))
    .map((line) => JSON.parse(line) as Line);
});
afterAll(() => stage.close());

const ofRun = (): Line[] => lines.filter(({ workflowId }) => workflowId?.startsWith(night.workflowId));

test('each line about a call names the cutover, the wave where there is one, the step and the attempt', () => {
  const calls = ofRun().filter(({ activityType, msg }) => activityType !== undefined && msg !== 'Activity started');
  expect(calls.length).toBeGreaterThan(20);
  for (const line of calls)
    expect(line).toMatchObject({ cutover: night.id, step: expect.any(String), attempt: expect.any(Number) });
  const freeze = calls.filter(({ activityType }) => activityType === 'freeze');
  expect(freeze).toEqual([expect.objectContaining({ cutover: night.id, wave: 1, step: 'freeze', attempt: 1 })]);
  expect(calls.filter(({ activityType }) => activityType === 'openCutover')[0]?.wave).toBeUndefined();
});

test('a call that another worker took over says that it is the second attempt', () => {
  const convert = ofRun().filter(({ activityType, msg }) => activityType === 'convert' && msg === 'Activity completed');
  expect(convert).toEqual([expect.objectContaining({ wave: 1, step: 'convert', attempt: 2 })]);
});

test('steps and gates are told once each, however often the run was replayed', () => {
  const told = ofRun().filter(({ msg }) => /^(step|gate) /.test(msg));
  const frozen = told.filter(({ msg }) => msg === 'step freeze: done');
  expect(frozen).toEqual([
    expect.objectContaining({ cutover: night.id, wave: 1, step: 'freeze', attempt: 1, level: 30 }),
  ]);
  expect(told.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['gate final: passed', 'step switch: done']));
});

test('no line holds a value of a row, nor does what is told of an error that quotes one', async () => {
  expect(text).not.toContain(NAME);
  const written: string[] = [];
  const logger = temporalLogger(pino({}, { write: (line: string) => void written.push(line) }));
  const error: unknown = await stage.query('postgres', `select '${NAME}'::int`).catch((caught: unknown) => caught);
  expect(String(error)).toContain(NAME);
  logger.warn('Activity failed', { error, input: NAME, workflowId: 'cutover/tiny/one/rollback-wave-2' });
  expect(JSON.parse(written.join(''))).toMatchObject({ cutover: 'one', wave: 2, error: 'error: 22P02' });
  expect(written.join('')).not.toContain(NAME);
});
