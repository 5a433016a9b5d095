import type { FindingCode } from '../finding-codes';
import { stepNeeds } from '../plan-timeline/phases';
import type { StepKind } from '../schema/step';
import { phaseOrder, report, type CheckContext, type Rule, type StepAt } from './context';

const WAVE_KINDS: readonly StepKind[] = [
  'preload',
  'catchUp',
  'intake',
  'drain',
  'freeze',
  'convert',
  'verify',
  'switch',
  'release',
];

function find(context: CheckContext, kind: StepKind, accept: (at: StepAt) => boolean = () => true): StepAt[] {
  return context.steps.filter((at) => at.part === 'perWave' && at.step.kind === kind && accept(at));
}

const isFrozenVerify = (at: StepAt): boolean => at.step.kind === 'verify' && at.step.scope === 'frozen';

/** True when `first` has certainly ended before `second` starts: an earlier phase, or a chain of needs. */
function precedes(context: CheckContext, first: StepAt, second: StepAt): boolean {
  if (first.phase !== second.phase) return phaseOrder(first) < phaseOrder(second);
  const inPhase = new Map(context.steps.filter((at) => at.phase === second.phase).map((at) => [at.id, at]));
  const seen = new Set<string>();
  const waiting = stepNeeds(second.phase, second.index);
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (id === first.id) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    const at = inPhase.get(id);
    if (at) waiting.push(...stepNeeds(at.phase, at.index));
  }
  return false;
}

function demandBefore(
  context: CheckContext,
  later: StepAt,
  earlier: StepAt[],
  code: FindingCode,
  what: string,
  remedy: string,
): void {
  if (earlier.some((at) => precedes(context, at, later))) return;
  report(context, 'runbook', later.path, {
    code,
    message: `\`${later.id}\` starts without ${what} having ended before it`,
    remedy,
  });
}

/** What must have happened before a wave changes hands (DESIGN §5). */
export const switchOrder: Rule = (context) => {
  for (const at of find(context, 'switch')) {
    demandBefore(
      context,
      at,
      find(context, 'freeze'),
      'switch-without-freeze',
      'a `freeze`',
      'add `kind: freeze` in an earlier phase',
    );
    demandBefore(
      context,
      at,
      find(context, 'drain'),
      'switch-without-drain',
      'a `drain`',
      'add `kind: drain` before the freeze',
    );
    demandBefore(
      context,
      at,
      find(context, 'convert'),
      'switch-without-convert',
      'a `convert`',
      'add `kind: convert` after the freeze',
    );
    const verifies = find(context, 'verify', isFrozenVerify).filter((verify) => precedes(context, verify, at));
    demandBefore(
      context,
      at,
      verifies,
      'switch-without-verify',
      'a frozen `verify`',
      'add `kind: verify` with `scope: frozen` after the convert',
    );
    const gated = verifies.every((verify) =>
      context.gates.some(
        (gate) =>
          gate.part === 'perWave' && phaseOrder(gate) >= phaseOrder(verify) && phaseOrder(gate) < phaseOrder(at),
      ),
    );
    if (verifies.length > 0 && !gated) {
      report(context, 'runbook', at.path, {
        code: 'switch-without-gate',
        message: 'no gate stands between the verification and the switch',
        remedy: 'end the phase of the verification with a `gate`, and switch in the phase after it',
      });
    }
  }
  if (find(context, 'switch').length === 0) {
    report(context, 'runbook', ['perWave'], {
      code: 'no-switch',
      message: 'no step moves a wave to the target',
      remedy: 'add a phase with `kind: switch`',
      atKey: true,
    });
  }
};

/** The order of the data work, and of holding and releasing what comes in. */
export const dataOrder: Rule = (context) => {
  for (const at of find(context, 'convert')) {
    demandBefore(
      context,
      at,
      find(context, 'freeze'),
      'convert-before-freeze',
      'a `freeze`',
      'put `kind: freeze` before it: a delta taken from a live source is not the last',
    );
    demandBefore(
      context,
      at,
      find(context, 'preload'),
      'convert-without-preload',
      'a `preload`',
      'add `kind: preload` in an earlier phase',
    );
  }
  for (const at of find(context, 'catchUp')) {
    demandBefore(
      context,
      at,
      find(context, 'preload'),
      'catch-up-without-preload',
      'a `preload`',
      'put `kind: preload` before it',
    );
  }
  for (const at of find(context, 'verify')) {
    if (isFrozenVerify(at)) {
      demandBefore(
        context,
        at,
        find(context, 'convert'),
        'verify-before-convert',
        'a `convert`',
        'put it after `kind: convert`, or write `scope: live`',
      );
    } else {
      demandBefore(
        context,
        at,
        find(context, 'preload'),
        'verify-without-preload',
        'a `preload`',
        'put it after `kind: preload`',
      );
    }
  }
  for (const at of find(context, 'drain')) {
    const freezes = find(context, 'freeze').filter((freeze) => precedes(context, freeze, at));
    if (freezes.length === 0) continue;
    report(context, 'runbook', at.path, {
      code: 'drain-after-freeze',
      message: 'the source cannot finish its open work once it is frozen',
      remedy: 'put `kind: drain` before `kind: freeze`',
    });
  }
};

/** What comes in is held before the source is drained and frozen, and released after the switch. */
export const intakePairs: Rule = (context) => {
  const intakes = find(context, 'intake');
  const releases = find(context, 'release');
  const takesRequests = Object.keys(context.runbook.requests).length > 0;
  for (const at of find(context, 'drain').filter(() => intakes.length > 0)) {
    demandBefore(
      context,
      at,
      intakes,
      'drain-before-intake',
      'an `intake`',
      'put `kind: intake` before it: what still comes in is never drained',
    );
  }
  for (const at of find(context, 'freeze').filter(() => takesRequests)) {
    demandBefore(
      context,
      at,
      intakes,
      'freeze-without-intake',
      'an `intake`',
      'put `kind: intake` before it: requests of frozen customers would be turned away',
    );
  }
  for (const at of intakes.filter((intake) => !releases.some((release) => precedes(context, intake, release)))) {
    report(context, 'runbook', at.path, {
      code: 'intake-without-release',
      message: 'new work is held here and never released',
      remedy: 'add `kind: release` after the switch',
    });
  }
  for (const at of releases) {
    demandBefore(
      context,
      at,
      intakes,
      'release-without-intake',
      'an `intake`',
      'add `kind: intake` before the freeze, or remove it',
    );
    demandBefore(
      context,
      at,
      find(context, 'switch'),
      'release-before-switch',
      'a `switch`',
      'put it after `kind: switch`: held work goes to the system of record',
    );
  }
};

/** Steps that act on one wave must stand in `perWave`, and those that change its custody only once. */
export const wavePlacement: Rule = (context) => {
  for (const at of context.steps) {
    if (at.part === 'perWave' || !WAVE_KINDS.includes(at.step.kind)) continue;
    report(context, 'runbook', at.path, {
      code: 'wave-step-outside-waves',
      message: `\`${at.step.kind}\` acts on a wave, and \`${at.part}\` belongs to none`,
      remedy: 'move it to `perWave`',
    });
  }
  for (const kind of ['preload', 'intake', 'freeze', 'convert', 'switch', 'release'] as const) {
    for (const at of find(context, kind).slice(1)) {
      report(context, 'runbook', at.path, {
        code: 'second-of-its-kind',
        message: `a second \`${kind}\` for the same wave`,
        remedy: 'keep one',
      });
    }
  }
  const switches = find(context, 'switch');
  for (const at of context.steps.filter(({ step }) => step.kind === 'hypercare')) {
    if (at.part === 'after' || switches.some((each) => precedes(context, each, at))) continue;
    report(context, 'runbook', at.path, {
      code: 'hypercare-before-switch',
      message: 'nothing is live yet to be watched',
      remedy: 'put it after the switch',
    });
  }
};

/** A rollback must be possible until the last wave has switched. */
export const pointOfNoReturn: Rule = (context) => {
  const gate = context.gates.find((each) => each.gate.id === context.runbook.pointOfNoReturn);
  if (!gate) return;
  const early = context.steps.some(
    ({ step, part, phaseIndex }) => step.kind === 'switch' && phaseOrder({ part, phaseIndex }) > phaseOrder(gate),
  );
  const waves = context.plan?.waves.length ?? 1;
  if (!early && !(gate.part === 'perWave' && waves > 1)) return;
  report(context, 'runbook', ['pointOfNoReturn'], {
    code: 'early-point-of-no-return',
    message: early
      ? `the gate \`${gate.gate.id}\` comes before the switch`
      : `the first wave passes \`${gate.gate.id}\` before the other waves switch`,
    remedy: early ? 'name a gate after the switch' : 'name a gate of `after`',
  });
};
