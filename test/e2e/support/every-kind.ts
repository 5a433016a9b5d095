import type { Document } from 'yaml';

/** The tiny runbook with the kinds of step it does not need by itself. */
export function everyKind(runbook: Document): void {
  runbook.setIn(
    ['before'],
    runbook.createNode([
      {
        phase: 'ready',
        owner: 'owner',
        steps: [
          { kind: 'task', signedBy: ['owner', 'ops'] },
          { kind: 'checklist', items: ['One', 'Two'] },
        ],
        gate: { id: 'prepared', votes: ['owner'], onNoGo: 'hold' },
      },
    ]),
  );
  const steps = runbook.getIn(['perWave', 1, 'steps']) as { items: unknown[] };
  steps.items.unshift(
    runbook.createNode({ id: 'opens', kind: 'window', window: 'always' }),
    runbook.createNode({ kind: 'notify', to: ['ops'], text: 'It begins.' }),
    runbook.createNode({
      id: 'stop-jobs',
      kind: 'action',
      system: 'source',
      do: 'create table tiny.stopped ()',
      undo: 'drop table tiny.stopped',
      go: 'lead',
    }),
  );
}

/** Every step of it in its order, with the activity that is its effect (null: people's or the calendar's). */
export const STEPS_OF_EVERY_KIND: readonly { id: string; wave: number | null; activity: string | null }[] = [
  { id: 'task', wave: null, activity: null },
  { id: 'checklist', wave: null, activity: null },
  { id: 'preload', wave: 1, activity: 'startPreload' },
  { id: 'catchUp', wave: 1, activity: 'catchUp' },
  { id: 'opens', wave: 1, activity: null },
  { id: 'notify', wave: 1, activity: 'notify' },
  { id: 'stop-jobs', wave: 1, activity: 'runAction' },
  { id: 'intake', wave: 1, activity: 'holdIntake' },
  { id: 'drain', wave: 1, activity: 'drain' },
  { id: 'freeze', wave: 1, activity: 'freeze' },
  { id: 'convert', wave: 1, activity: 'convert' },
  { id: 'verify', wave: 1, activity: 'verify' },
  { id: 'switch', wave: 1, activity: 'switchWave' },
  { id: 'release', wave: 1, activity: 'releaseIntake' },
  { id: 'hypercare', wave: null, activity: null },
];
