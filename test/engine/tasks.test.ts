import type { RunMessage } from '../../engine/messages';
import { viewOf } from '../../engine/view';
import { STARTER } from '../simulate/runbook';
import { MINUTE, Stage } from './support/stage';

const always = [{ opensAt: 0, closesAt: 10_000 * MINUTE }];

/** At the task `debits`: owned by ops (lena, olga and her deputy otto), overdue after ten minutes. */
const atDebits = async (): Promise<Stage> => {
  const stage = new Stage(always).startAt('debits').play();
  await stage.pass(MINUTE);
  return stage;
};
const told = (stage: Stage): (string | undefined)[] =>
  stage.world.control.ledger
    .filter(({ action }) => action === 'overdue')
    .map(({ detail }) => `${detail?.['level']}: ${detail?.['told']}`);
const refusal = (stage: Stage, message: RunMessage): string => {
  const answer = stage.ask(message);
  return answer.accepted ? 'was accepted' : answer.reason;
};

it('tells owners, then their deputies, then the lead that a task is overdue, each once', async () => {
  const stage = await atDebits();
  expect(told(stage)).toEqual([]);
  await stage.pass(10 * MINUTE);
  expect(told(stage)).toEqual(['1: lena, olga, otto']);
  await stage.pass(5 * MINUTE);
  expect(told(stage)).toEqual(['1: lena, olga, otto', '2: otto']);
  await stage.pass(60 * MINUTE);
  expect(told(stage)).toEqual(['1: lena, olga, otto', '2: otto', `3: ${STARTER}`]);
  expect(stage.calls.filter((name) => name === 'notify')).toHaveLength(3);
  expect(viewOf(stage.context).waitsFor[0]).toMatch(/debits: ops \(lena, olga, otto\); overdue since 1970/);
});

it('keeps the instants over a continuation: who was told is not told again, and the next is told in time', async () => {
  const stage = await atDebits();
  await stage.pass(10 * MINUTE);
  stage.runtime.longHistory = true;
  stage.clock.touch();
  await stage.pass(MINUTE);
  stage.continued();
  await stage.pass(3 * MINUTE);
  expect(told(stage)).toEqual(['1: lena, olga, otto']);
  await stage.pass(2 * MINUTE);
  expect(told(stage)).toEqual(['1: lena, olga, otto', '2: otto']);
});

it('is signed by the one it was given to, with the whole time anew', async () => {
  const stage = await atDebits();
  await stage.pass(8 * MINUTE);
  stage.say({ kind: 'reassign', person: 'olga', step: 'debits', to: 'otto', reason: 'at the bank' });
  await stage.pass(8 * MINUTE);
  expect(told(stage)).toEqual([]);
  await stage.pass(3 * MINUTE);
  expect(told(stage)).toEqual(['1: otto']);
  expect(refusal(stage, { kind: 'completeTask', person: 'olga', step: 'debits' })).toMatch(/waits for ops \(otto\)/);
  stage.say({ kind: 'completeTask', person: 'otto', step: 'debits' });
  await stage.pass(MINUTE);
  expect(stage.step('debits')).toMatchObject({ status: 'done', signed: { ops: { person: 'otto' } } });
});

it('that is done is signed again role by role, the oldest signature first', async () => {
  const stage = await atDebits();
  const step = stage.step('debits');
  step.signedBy = ['ops', 'care'];
  for (const _ of step.signedBy) stage.say({ kind: 'completeTask', person: 'otto', step: 'debits' });
  const signedAt = (): (number | undefined)[] => step.signedBy.map((role) => step.signed[role]?.at);
  const first = signedAt();
  await stage.pass(MINUTE);
  for (const _ of step.signedBy) {
    await stage.pass(MINUTE);
    stage.say({ kind: 'completeTask', person: 'otto', step: 'debits' });
  }
  expect(signedAt().every((at, n) => at! > first[n]!)).toBe(true);
});

it('gives the go of a step away', async () => {
  const stage = new Stage(always).startAt('freeze').play();
  await stage.pass(MINUTE);
  expect(refusal(stage, { kind: 'reassign', person: STARTER, step: 'freeze', to: 'olga' })).toMatch(
    /olga holds none of the roles step freeze waits for: lead \(lena\)/,
  );
  const intake = new Stage(always).startAt('intake').play();
  await intake.pass(MINUTE);
  intake.say({ kind: 'reassign', person: 'cara', step: 'intake', to: 'otto' });
  expect(refusal(intake, { kind: 'go', person: 'cara', step: 'intake' })).toMatch(/asks care \(otto\)/);
  intake.say({ kind: 'go', person: 'otto', step: 'intake' });
  await intake.pass(MINUTE);
  expect(intake.calls).toContain('holdIntake');
});

it('says who is on a task, and tells the lead what blocks it until somebody goes on', async () => {
  const stage = await atDebits();
  stage.say({ kind: 'startTask', person: 'olga', step: 'debits' });
  expect(stage.step('debits').taken).toMatchObject({ person: 'olga' });
  stage.say({ kind: 'blockTask', person: 'olga', step: 'debits', reason: 'the bank does not answer' });
  await stage.pass(MINUTE);
  expect(viewOf(stage.context).waitsFor[0]).toMatch(/blocked by olga: the bank does not answer; olga is on it/);
  expect(stage.state.notices.at(-1)?.text).toMatch(/task debits is blocked/);
  expect(stage.calls.filter((name) => name === 'notify')).toHaveLength(1);
  stage.say({ kind: 'startTask', person: 'otto', step: 'debits' });
  expect(stage.step('debits').blocked).toBeUndefined();
});

it('lets the work of others be nobody’s business but theirs and the lead’s', async () => {
  const stage = await atDebits();
  expect(refusal(stage, { kind: 'startTask', person: 'vera', step: 'debits' })).toMatch(/belongs to ops/);
  expect(refusal(stage, { kind: 'blockTask', person: 'vera', step: 'debits', reason: 'x' })).toMatch(/belongs to ops/);
  expect(refusal(stage, { kind: 'startTask', person: 'olga', step: 'roll-call' })).toMatch(/is not open: done/);
  expect(refusal(stage, { kind: 'reassign', person: 'vera', step: 'debits', to: 'olga' })).toMatch(
    /is given away by lena or by ops/,
  );
  expect(refusal(stage, { kind: 'reassign', person: 'olga', step: 'debits', to: 'olga', role: 'care' })).toMatch(
    /does not wait for care; it waits for ops/,
  );
  expect(refusal(stage, { kind: 'reassign', person: 'olga', step: 'roll-call', to: 'olga' })).toMatch(/is done/);
});
