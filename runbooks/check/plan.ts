import { suggest } from '../yaml/nearest';
import { report, type Rule } from './context';

/** What a plan says must suit its runbook and its mode. */
export const plan: Rule = (context) => {
  const { plan: found, runbook } = context;
  if (!found) return;
  if (found.runbook !== runbook.runbook) {
    report(context, 'plan', ['runbook'], {
      code: 'other-runbook',
      message: `this plan is for \`${found.runbook}\``,
      remedy: `write \`${runbook.runbook}\`, or use its own runbook`,
    });
  }
  if (found.mode === 'real' && found.pace !== 1) {
    report(context, 'plan', ['pace'], {
      code: 'pace-in-real-plan',
      message: 'only a rehearsal runs at a pace',
      remedy: 'remove `pace`, or write `mode: rehearsal`',
    });
  }
  const known = [...context.steps.map(({ id }) => id), ...context.gates.map(({ gate }) => gate.id), 'rollback'];
  for (const id of Object.keys(found.durations ?? {}).filter((each) => !known.includes(each))) {
    report(context, 'plan', ['durations', id], {
      code: 'unknown-step',
      message: `there is no step or gate \`${id}\``,
      remedy: suggest(id, known),
      atKey: true,
    });
  }
  const windows = Object.keys(runbook.windows);
  for (const id of Object.keys(found.windows ?? {}).filter((each) => !windows.includes(each))) {
    report(context, 'plan', ['windows', id], {
      code: 'unknown-window',
      message: `there is no window \`${id}\``,
      remedy: suggest(id, windows),
      atKey: true,
    });
  }
};

/** The last wave takes everyone else, customers won on the way included; every other wave says whom it takes. */
export const waves: Rule = (context) => {
  const list = context.plan?.waves ?? [];
  list.forEach((wave, index) => {
    const isLast = index === list.length - 1;
    if (isLast && wave.where !== undefined) {
      report(context, 'plan', ['waves', index, 'where'], {
        code: 'where-on-last-wave',
        message: 'the last wave takes everyone who is left',
        remedy: 'remove `where`, or add a wave after it',
        atKey: true,
      });
    } else if (!isLast && wave.where === undefined) {
      report(context, 'plan', ['waves', index], {
        code: 'wave-without-where',
        message: `\`${wave.id}\` would take everyone, and nobody is left for the waves after it`,
        remedy: 'add `where:` with a predicate over the population',
      });
    }
  });
};
