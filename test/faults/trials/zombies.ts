import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { brokenPid, readCalls, type Call } from '../../e2e/support/break-files';
import type { Random } from '../../support/random';
import { waitUntil } from '../../support/wait-until';
import { judge } from '../promises';
import { NotHappened, withLease, type Field } from '../field';
import { inGroups, STEP_EFFECTS, type When } from '../moments';
import { readRows } from '../rows';
import type { Trial } from '../trial';

const IN_A_NIGHT = 3;
const LOOK_MS = 50;
/** A database ends a transaction that a stopped worker left open after a minute; then the next attempt goes on. */
const WITHIN_MS = 180_000;
const WHENS: readonly When[] = ['before', 'during', 'after'];
/** Shorter than a worker is stopped; where another attempt is to win, the freeze must last. */
const shortLease = withLease('PT15S');

/** Workers stopped by SIGSTOP past every timeout, and woken when another attempt has won, or when all was rolled back. */
export const zombies = (random: Random): Trial[] => [
  ...inGroups(random, [...STEP_EFFECTS, 'preloadStream', 'recordUndo', 'closeCutover'], IN_A_NIGHT).map(
    (activities, at): Trial => {
      const moments = activities.map((activity) => `${activity}:${random.pick(WHENS)}`);
      return {
        name: `zombie-${at + 1}`,
        fault: 'worker stopped, then woken',
        options: { breakAt: moments.map((moment) => `${moment}:stop`) },
        play: (field) => wakeWinners(field, moments),
      };
    },
  ),
  ...[...STEP_EFFECTS, 'preloadStream'].map((activity): Trial => {
    const moment = `${activity}:${random.pick(['before', 'during'] as const)}`;
    return {
      name: `zombie-${activity}-after-rollback`,
      fault: 'worker stopped, woken after a rollback',
      options: { breakAt: [`${moment}:stop`], change: shortLease },
      play: (field) => wakeAfterRollback(field, moment),
    };
  }),
];

async function wakeWinners(field: Field, moments: readonly string[]): Promise<'either'> {
  const watch = new AbortController();
  const waking = wakeAll(field, moments, watch.signal);
  let failed = false;
  waking.catch(() => (failed = true)); // awaited below; nobody is woken any more, so the night would stand still
  try {
    await field.play(() => failed);
    if (failed) await waking;
    await waitUntil(() => moments.every((moment) => brokenPid(field.breakDir, moment) !== null), 1_000).catch(() => {
      throw new NotHappened(`nobody was stopped at one of ${moments.join(', ')}`);
    });
    await waking;
  } finally {
    watch.abort();
  }
  await field.finish();
  return 'either';
}

/** The call in which a worker was stopped. */
function stoppedCall(field: Field, moment: string): Call | undefined {
  const pid = brokenPid(field.breakDir, moment);
  const activity = moment.split(':')[0];
  return readCalls(field.breakDir)
    .filter((call) => call.event === 'begun' && call.pid === pid && call.activity === activity)
    .at(-1);
}

const sameTask = (one: Call, other: Call): boolean =>
  one.workflow === other.workflow && one.activityId === other.activityId && one.activity === other.activity;

/** One after the other, in the order in which they are stopped: each is woken when another attempt of its task has won. */
async function wakeAll(field: Field, moments: readonly string[], signal: AbortSignal): Promise<void> {
  const left = new Set(moments);
  while (left.size > 0 && !signal.aborted) {
    for (const moment of left) {
      if (brokenPid(field.breakDir, moment) === null) continue;
      left.delete(moment);
      await wakeWinner(field, moment, left, signal);
    }
    await sleep(LOOK_MS);
  }
}

async function wakeWinner(
  field: Field,
  moment: string,
  later: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const stopped = stoppedCall(field, moment);
  if (!stopped) throw new Error(`${moment} was stopped in no call`);
  const won = (): boolean =>
    readCalls(field.breakDir).some(
      (call) =>
        call.pid !== stopped.pid && sameTask(call, stopped) && call.attempt > stopped.attempt && call.event === 'done',
    );
  await waitUntil(() => won() || signal.aborted, WITHIN_MS);
  process.kill(stopped.pid, 'SIGCONT');
  // What else it does may stop it again before this call has ended: then both end when it is woken from there.
  const isStoppedAgain = (): boolean => [...later].some((each) => brokenPid(field.breakDir, each) === stopped.pid);
  await waitUntil(() => hasEnded(field, stopped) || isStoppedAgain() || signal.aborted, WITHIN_MS);
}

const hasEnded = (field: Field, stopped: Call): boolean =>
  readCalls(field.breakDir).some(
    (call) =>
      call.pid === stopped.pid && sameTask(call, stopped) && call.attempt === stopped.attempt && call.event !== 'begun',
  );

/** The zombie wakes when everything is back and nobody else writes: from there on nothing may change. */
async function wakeAfterRollback(field: Field, moment: string): Promise<'rolled-back'> {
  await field.play(() => brokenPid(field.breakDir, moment) !== null);
  const stopped = stoppedCall(field, moment);
  if (!stopped) throw new NotHappened(`nobody was stopped at ${moment}`);
  await field.askForRollback(1);
  await field.finish();
  const before = await fingerprint(field);
  process.kill(stopped.pid, 'SIGCONT');
  await waitUntil(() => hasEnded(field, stopped), WITHIN_MS);
  const after = await fingerprint(field);
  const changed = Object.keys(before).filter((part) => before[part] !== after[part]);
  judge(
    field.judgement,
    'ONCE',
    changed.map((part) => `the worker that woke after the rollback changed ${part}`),
  );
  return 'rolled-back';
}

const CONTROL = ['wave', 'undo', 'chunk', 'member', 'epoch'] as const;

/** What a zombie might change, by part. */
async function fingerprint(field: Field): Promise<Record<string, string>> {
  const { stage } = field.ground;
  const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');
  const rows = await readRows(stage);
  const parts: Record<string, string> = {};
  for (const [name, map] of Object.entries(rows)) parts[name] = digest([...(map as Map<string, unknown>)].sort());
  parts['jobs'] = digest(await stage.query(stage.urlOf('source'), 'select what from tiny.job'));
  for (const side of ['source', 'target'] as const)
    parts[`custody at the ${side}`] = digest(
      await stage.query(
        stage.urlOf(side),
        'select w.wave, w.state, f.key, f.epoch, f.position from cutover.wave w, cutover.fence f order by 1, 3',
      ),
    );
  for (const name of CONTROL)
    parts[`control.${name}`] = digest(
      await stage.query(stage.urlOf('control'), `select r::text as row from control.${name} r order by 1`),
    );
  return parts;
}
