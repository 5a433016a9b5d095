import type { Activities } from '../../engine/contract';
import type { ResolvedRun } from '../../runbooks/resolved';
import { ActivityFault, type Attempt } from './world/attempt';
import * as copies from './world/copies';
import * as custody from './world/custody';
import { raiseEpoch } from './world/fences';
import * as moving from './world/moving';
import * as work from './world/work';
import type { World } from './world/world';
import type { Truth } from './world/writers';

export type Bodies = {
  [K in keyof Activities]: (attempt: Attempt, input: Parameters<Activities[K]>[0]) => ReturnType<Activities[K]>;
};

/** Every activity of the contract over the world in memory. */
export function bodies(world: World, truth: Truth, documents: ReadonlyMap<string, ResolvedRun>): Bodies {
  return {
    loadRun: async (_, { runbook }) => {
      const run = documents.get(runbook);
      if (!run) throw new ActivityFault('SystemRefused', `no runbook ${runbook}`);
      return run;
    },
    checkAmendment: async (attempt, { runbookHash }) => {
      await attempt.tick(200);
      const run = documents.get(runbookHash);
      return run ? { outcome: 'sound', run } : { outcome: 'unsound', problem: `no sound runbook ${runbookHash}` };
    },
    adoptDocuments: async (attempt, { number, runbookHash }) => {
      await attempt.tick(50);
      if (number > world.control.amended.number) world.control.amended = { number, runbookHash };
    },
    openCutover: async (attempt) => {
      await attempt.tick(1_000);
      return { epoch: world.control.epoch.get(0) ?? 0, population: world.baseline.size };
    },
    closeCutover: async (attempt, input) => {
      await attempt.tick(50);
      world.control.closed = input.outcome;
    },
    saveView: async (attempt) => attempt.tick(20),
    raiseEpoch: (attempt, input) => raiseEpoch(world, attempt, input),
    recordUndo: (attempt, input) => work.recordUndo(world, attempt, input.ref, input.kind),
    listUndo: (attempt, input) => work.listUndo(world, attempt, input),
    completeUndo: (attempt, input) => work.completeUndo(world, attempt, input.seq, input.epoch),
    appendLedger: (attempt, input) => work.appendLedger(world, attempt, input.entries),
    readMeasures: (attempt, input) => work.readMeasures(world, attempt, input.gate),
    notify: async (attempt) => attempt.tick(100),
    runAction: (attempt, input) => work.runAction(world, attempt, input.ref, input.direction),
    startPreload: (attempt, input) => moving.startPreload(world, attempt, input.ref),
    preloadStream: (attempt, input) => moving.preloadStream(world, attempt, input.ref),
    catchUp: (attempt, input) => moving.catchUp(world, attempt, input.ref, input.lagRows),
    follow: (attempt, input) => moving.follow(world, attempt, input.ref),
    holdIntake: (attempt, input) => work.holdIntake(world, attempt, input.ref),
    releaseIntake: (attempt, input) => work.releaseIntake(world, truth, attempt, input.ref),
    drain: (attempt, input) => work.drain(world, attempt, input.ref, input.untilMs),
    freeze: (attempt, input) => custody.freeze(world, attempt, input.ref, input.leaseMs),
    holdFreeze: (attempt, input) => custody.holdFreeze(world, attempt, input.ref, input.leaseMs, input.notAfter),
    thaw: (attempt, input) => custody.thaw(world, attempt, input.ref),
    convert: (attempt, input) => moving.convert(world, attempt, input.ref),
    verify: (attempt, input) => moving.verify(world, attempt, input.ref, input.scope),
    switchWave: (attempt, input) => custody.switchWave(world, attempt, input.ref),
    returnCustody: (attempt, input) => custody.returnCustody(world, attempt, input.ref),
    keepCopy: (attempt, input) => copies.keepCopy(world, attempt, input.ref),
    purgeCopy: (attempt, input) => copies.purge(world, attempt, input.ref),
    verifyReturned: (attempt, input) => custody.verifyReturned(world, attempt, input.ref, input.copyKept ?? false),
  };
}

/** Effects that a rollback request cancels, and that may be refused for good. */
export const STEP_EFFECTS: ReadonlySet<keyof Activities> = new Set([
  'recordUndo',
  'notify',
  'runAction',
  'startPreload',
  'preloadStream',
  'catchUp',
  'holdIntake',
  'releaseIntake',
  'drain',
  'freeze',
  'convert',
  'verify',
  'switchWave',
]);
