import type { Document } from 'yaml';
import { waitUntil } from '../../support/wait-until';
import type { Field } from '../field';
import { momentsOf } from '../moments';
import { judge } from '../promises';
import type { Trial } from '../trial';
import { allBroke } from './kills';

/** People of the tiny runbook say what they have to say again until it shows: a worker may have died with it. */
const PATIENCE_MS = 300_000;

/** A second person for operations, who can take over what another one was to do. */
const withDeputy = (_runbook: Document, plan: Document): void =>
  plan.addIn(['people'], plan.createNode({ id: 'dee', name: 'Dee Tiny', roles: ['ops'] }));

const withMore = (runbook: Document): void => {
  runbook.addIn(
    ['perWave', 2, 'steps'],
    runbook.createNode({ id: 'look-twice', kind: 'checklist', items: ['a bill'] }),
  );
  runbook.addIn(['after', 0, 'steps'], runbook.createNode({ id: 'letter', kind: 'task' }));
};

/** A task is given to somebody else, then the runbook is changed under a running wave, and workers die wherever that is taken in. */
export const amendments = (): Trial[] => [
  {
    name: 'kill-while-amended',
    fault: 'worker killed while a cutover is amended',
    options: {
      // Reading the documents has no moment of its own: nothing is written by it.
      breakAt: [
        ...momentsOf(['checkAmendment'], ['before', 'after']),
        ...momentsOf(['adoptDocuments'], ['before', 'during', 'after']),
      ],
      script: { leave: ['task', 'go-night'] },
      change: withDeputy,
    },
    play: async (field) => {
      await giveTaskAway(field);
      await amend(field);
      field.night.script.leave = [];
      await field.finish();
      allBroke(field);
      const added = [field.view?.steps, field.waveView?.steps].flatMap((steps) => steps ?? []);
      const missing = ['letter', 'look-twice'].filter((id) => added.find((step) => step.id === id)?.status !== 'done');
      judge(
        field.judgement,
        'LIVE',
        missing.map((id) => `step ${id} of the amended runbook was not done`),
      );
      return 'live';
    },
  },
];

/** From operations' usual hand to the deputy; the one it was taken from cannot sign it any more. */
async function giveTaskAway(field: Field): Promise<void> {
  const { night } = field;
  const task = async () => (await night.view(null))?.steps.find(({ id }) => id === 'task');
  await field.play(({ cutover }) => cutover?.steps.find(({ id }) => id === 'task')?.status === 'waiting-people');
  await waitUntil(async () => {
    await night.quietly(null, 'reassign', { person: 'ada', step: 'task', to: 'dee', role: 'ops' });
    return (await task())?.assigned?.['ops'] === 'dee';
  }, PATIENCE_MS);
  const taken = await night.send(null, 'completeTask', { person: 'cas', step: 'task' }).catch(() => null);
  if (taken?.accepted === true) judge(field.judgement, 'GATE', ['a task was signed by the one it was taken from']);
  await waitUntil(async () => {
    for (const person of ['ben', 'dee']) await night.quietly(null, 'completeTask', { person, step: 'task' });
    return (await task())?.status === 'done';
  }, PATIENCE_MS);
}

/** Two people agree on more steps while the wave waits at its gate. */
async function amend(field: Field): Promise<void> {
  const { night } = field;
  await field.play(({ wave }) => wave?.gates.find(({ id }) => id === 'go-night')?.digest != null);
  const hashes = await field.store(withMore);
  await waitUntil(async () => {
    for (const person of ['ada', 'cas']) await night.quietly(null, 'amend', { person, ...hashes });
    return (await night.view(1))?.documents.runbookHash === hashes.runbook;
  }, PATIENCE_MS);
}
