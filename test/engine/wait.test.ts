import { record, wait } from '../../engine/context';
import { ContinueRun } from '../../engine/runtime';
import { Stage } from './support/stage';

it('a wait that could have left a moment ago goes on when something has begun since', async () => {
  const stage = new Stage([]);
  let met = false;
  stage.runtime.wantsContinue = () => true;
  const waiting = wait(stage.context, () => met);
  record(stage.context, 'system', 'amended', 'run'); // after the wait has seen that nothing is under way
  let ended: unknown = 'waits';
  waiting.then(
    (value) => (ended = value),
    (error: unknown) => (ended = error),
  );
  await stage.pass(1);
  expect(ended).toBe('waits');
  met = true;
  stage.clock.touch();
  await stage.pass(1);
  expect(ended).toBe(true);
});

it('a wait leaves to continue as new when nothing is under way', async () => {
  const stage = new Stage([]);
  stage.runtime.wantsContinue = () => true;
  await expect(wait(stage.context, () => false)).rejects.toThrow(ContinueRun);
});
