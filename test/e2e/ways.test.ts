import { Client } from 'pg';
import type { Document } from 'yaml';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { everyKind } from './support/every-kind';
import { recordNight } from './support/record';
import { leftBehind, play, type Scene } from './support/scene';
import { Stage } from './support/stage';
import { waitUntil } from '../support/wait-until';
import type { RunView } from '../../engine/view';

const CUSTOMERS = 100;
const WITHIN_MS = 90_000;

jest.setTimeout(240_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('ways');
});
afterAll(() => stage.close());
beforeEach(() => stage.freshDatabases(CUSTOMERS));
afterEach(() => stage.stopChildren());

const stepOf = (view: RunView | null, id: string): RunView['steps'][number] | undefined =>
  view?.steps.find((step) => step.id === id);

async function endsLive({ night, writer }: Scene): Promise<void> {
  const view = await night.play(WITHIN_MS);
  await writer.stop();
  expect(view?.outcome).toBe('live');
  expect(await writer.audit('target')).toEqual([]);
}

test('a no-go at gate final brings the wave back, and the ledger says who said it', async () => {
  await play(stage, { customers: CUSTOMERS, script: { noGo: 'final' } }, async (scene) => {
    const view = await scene.night.play(WITHIN_MS);
    expect(view?.outcome).toBe('rolled-back');
    expect(view?.rollback?.reason).toContain('no-go at gate final');
    expect(await leftBehind(scene)).toEqual([]);
    const actors = await stage.query<{ actor: string }>(
      stage.env['CONTROL_URL'] ?? '',
      "select actor from control.ledger where cutover = $1 and action = 'gate refused' and subject = 'final'",
      [scene.night.id],
    );
    expect(actors).toHaveLength(1);
    expect(['ben', 'cas']).toContain(actors[0]?.actor);
    await recordNight('rolled-back', scene.night);
  });
});

test('a cutover that runs is not started again under its id; paused it starts no step; resumed it goes live', async () => {
  await play(stage, { customers: CUSTOMERS, script: { leave: ['go-night'] } }, async (scene) => {
    const { night } = scene;
    await expect(night.start(everyKind)).rejects.toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
    const gateIsOpen = (view: RunView | null): boolean =>
      view?.gates.some((gate) => gate.id === 'go-night' && gate.status === 'open' && gate.digest !== null) === true;
    await night.play(WITHIN_MS, ({ wave }) => gateIsOpen(wave));
    await recordNight('waiting', night);
    expect(await night.send(1, 'pause', { person: 'ada', reason: 'a look first' })).toMatchObject({ accepted: true });
    const vote = { person: 'ben', gate: 'go-night', decision: 'go' } as const;
    expect(await night.send(1, 'castVote', vote)).toMatchObject({ accepted: true });
    await waitUntil(async () => !gateIsOpen(await night.view(1)));
    const paused = await night.view(1);
    expect(paused?.status).toBe('paused');
    expect(stepOf(paused, 'opens')).toMatchObject({ status: 'pending', startedAt: null });
    expect(await night.send(1, 'resume', { person: 'ada' })).toMatchObject({ accepted: true });
    await endsLive(scene);
    await recordNight('paused', night);
  });
});

test('a target that is away for a moment costs time, not the night', async () => {
  await play(stage, { customers: CUSTOMERS }, async (scene) => {
    const url = new URL(stage.env['TARGET_URL'] ?? '');
    const target = url.pathname.slice(1);
    await scene.night.play(WITHIN_MS, ({ wave }) => stepOf(wave, 'intake')?.status === 'waiting-go');
    await stage.query('postgres', `alter database ${target} allow_connections false`);
    await stage.query('postgres', 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      target,
    ]);
    await expect(new Client(url.href).connect()).rejects.toMatchObject({ code: '55000' });
    await scene.night.play(WITHIN_MS, ({ wave }) => stepOf(wave, 'drain')?.status === 'done');
    await stage.query('postgres', `alter database ${target} allow_connections true`);
    await endsLive(scene);
  });
});

test('a customer with a row that cannot be mapped any more stays whole at the source, however late it appears', async () => {
  const change = (runbook: Document): void => runbook.setIn(['success', 0, 'atLeast'], 0.98);
  await play(stage, { customers: CUSTOMERS, script: { leave: ['freeze'] }, change }, async (scene) => {
    const { night, writer } = scene;
    const source = stage.env['SOURCE_URL'] ?? '';
    const becomesUnmappable = (customer: string): Promise<unknown> =>
      stage.query(source, "update tiny.customer set vip = 'perhaps' where id = $1", [customer]);
    await night.play(WITHIN_MS, ({ wave }) => stepOf(wave, 'catchUp')?.status === 'done');
    await becomesUnmappable('t7');
    await night.play(WITHIN_MS, ({ wave }) => stepOf(wave, 'freeze')?.status === 'waiting-go');
    await becomesUnmappable('t14');
    night.script.leave = [];
    const view = await night.play(WITHIN_MS);
    await writer.stop();
    expect(view?.outcome).toBe('live');
    expect(await writer.audit('target', ['t7', 't14'])).toEqual([]);
    const moved = await stage.query(
      stage.env['TARGET_URL'] ?? '',
      "select code from shop.client where code in ('t7', 't14')",
    );
    expect(moved).toEqual([]);
  });
});
