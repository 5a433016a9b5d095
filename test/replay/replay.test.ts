import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HISTORIES_DIR, readHistory, RELEASE } from '../e2e/support/record';
import { stuckRuns } from './replayed';

jest.setTimeout(120_000);

const releases = readdirSync(HISTORIES_DIR);
const names = releases.flatMap((release) =>
  readdirSync(join(HISTORIES_DIR, release)).map((file) => `${release}/${file.replace('.json', '')}`),
);
/** The ways of a run, and the workflows that go each. */
const WAYS: Record<string, readonly string[]> = {
  finished: ['cutover', 'wave'],
  'rolled-back': ['cutover', 'wave', 'rollback'],
  paused: ['cutover', 'wave'],
  waiting: ['cutover', 'wave'],
  continued: ['cutover', 'wave'],
  amended: ['cutover', 'wave'],
};

/** A run that is under way must go on with new code: a difference here would stop it in the night. */
test('every recorded run of the tiny runbook replays with the code as built', async () => {
  expect(await stuckRuns(names.map(readHistory))).toEqual({ replayed: names.length, stuck: [] });
});

test.each([...new Set([...releases, RELEASE])])(
  'of release %s every way of a run is kept: `npm run histories` records them',
  (release) => {
    const wanted = Object.entries(WAYS).flatMap(([way, workflows]) =>
      workflows.map((workflow) => `${release}/${way}-${workflow}`),
    );
    expect({ missing: wanted.filter((name) => !names.includes(name)) }).toEqual({ missing: [] });
  },
);

test('the waiting run has not ended, the continued one went on as a new one, the paused one was paused', () => {
  for (const release of releases) {
    const events = (name: string) => readHistory(`${release}/${name}`).history.events ?? [];
    const ended = (name: string): boolean => events(name).at(-1)?.workflowExecutionCompletedEventAttributes != null;
    expect([ended('waiting-cutover'), ended('waiting-wave'), ended('finished-cutover')]).toEqual([false, false, true]);
    expect(events('continued-wave').at(-1)?.workflowExecutionContinuedAsNewEventAttributes).toBeTruthy();
    const updates = events('paused-wave').map(
      (event) => event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name,
    );
    expect(updates).toEqual(expect.arrayContaining(['pause', 'resume']));
  }
});

test('a history that another code would have made does not replay', async () => {
  const { workflowId, history } = readHistory(`${RELEASE}/finished-wave`);
  const step = history.events?.find(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'freeze',
  );
  Object.assign(step?.activityTaskScheduledEventAttributes?.activityType ?? {}, { name: 'thaw' });
  const { stuck } = await stuckRuns([{ workflowId, history }]);
  expect(stuck).toEqual([expect.stringMatching(/nondeterminism/i)]);
});
