import type { Document } from 'yaml';
import { Night } from './support/night';
import { recordNight } from './support/record';
import { Stage } from './support/stage';

jest.setTimeout(240_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('amend');
});
afterAll(() => stage.close());
beforeEach(() => stage.freshDatabases(50));
afterEach(() => stage.stopChildren());

const lookTwice = (runbook: Document): void => {
  runbook.addIn(['perWave', 2, 'steps'], { id: 'look-twice', kind: 'checklist', items: ['a bill'] });
  runbook.addIn(['after', 0, 'steps'], { id: 'letter', kind: 'task' });
};

test('a running wave and its cutover adopt what two people approve, though every worker dies on the way', async () => {
  await stage.startWorkers();
  const night = new Night(stage, `amended-${Date.now()}`, { leave: ['go-night'] });
  await night.start();
  await night.play(60_000, ({ wave }) => wave?.gates.find((gate) => gate.id === 'go-night')?.digest != null);
  const hashes = await night.store(lookTwice);

  expect(await night.send(1, 'amend', { person: 'ada', ...hashes })).toMatchObject({
    accepted: false,
    reason: expect.stringContaining('say it to the cutover') as string,
  });
  const left = await night.store((runbook) => void runbook.deleteIn(['perWave', 0, 'steps', 0]));
  expect(await night.send(null, 'amend', { person: 'ada', ...left })).toMatchObject({ accepted: false });
  expect(await night.send(null, 'amend', { person: 'ada', ...hashes })).toMatchObject({ accepted: true });
  expect((await night.view(null))?.documents.runbookHash).not.toBe(hashes.runbook);
  expect(await night.send(null, 'amend', { person: 'cas', ...hashes })).toMatchObject({ accepted: true });
  await stage.stopChildren();
  await stage.startWorkers();

  await night.play(60_000, ({ wave }) => wave?.documents.runbookHash === hashes.runbook);
  night.script.leave = [];
  const view = await night.play(120_000);
  expect(view?.outcome).toBe('live');
  expect(view?.amendment).toMatchObject({ status: 'adopted', approvedBy: ['ada', 'cas'] });
  expect(view?.steps.find(({ id }) => id === 'letter')?.status).toBe('done');
  expect((await night.view(1))?.steps.find(({ id }) => id === 'look-twice')?.status).toBe('done');
  const [row] = await stage.query<{ hash: string }>(
    stage.env['CONTROL_URL'] ?? '',
    `select runbook_hash as hash from control.cutover where cutover = '${night.id}'`,
  );
  expect(row?.hash).toBe(hashes.runbook);
  await recordNight('amended', night);
});
