import { report, type Rule } from './context';

const THRESHOLDS = ['atMost', 'atLeast', 'shareAtMost'] as const;

/** A measure that nothing can fail, or two thresholds that may contradict each other. */
export const measures: Rule = (context) => {
  context.runbook.success.forEach((measure, index) => {
    if (!('builtin' in measure)) return;
    const given = THRESHOLDS.filter((name) => measure[name] !== undefined);
    if (given.length === 1) return;
    report(context, 'runbook', given.length === 0 ? ['success', index] : ['success', index, given[1] as string], {
      code: given.length === 0 ? 'measure-without-threshold' : 'measure-with-two-thresholds',
      message: `\`${measure.id}\` has ${given.length === 0 ? 'no threshold: it cannot be red' : `${given.length} thresholds`}`,
      remedy: given.length === 0 ? 'add one of `atMost`, `atLeast`, `shareAtMost`' : 'keep one',
      atKey: given.length > 0,
    });
  });
};

/** Of the worker's own environment. */
const OWN_VARIABLES: readonly string[] = ['CONTROL_URL', 'TEMPORAL_ADDRESS', 'CUTOVER_WEBHOOK_URL'];

/** Systems the engine cannot do without, and steps and stocks that ask a system for what it cannot do. */
export const systems: Rule = (context) => {
  const { runbook } = context;
  for (const side of ['source', 'target'] as const) {
    const system = runbook.systems[side];
    if (system?.adapter === 'postgres') continue;
    report(context, 'runbook', system ? ['systems', side, 'adapter'] : ['systems'], {
      code: 'missing-system',
      message: `the ${side} must be a PostgreSQL database`,
      remedy: `write \`${side}: { adapter: postgres, urlEnv: … }\``,
      atKey: !system,
    });
  }
  if (runbook.systems['source'] && runbook.systems['source'].urlEnv === runbook.systems['target']?.urlEnv) {
    report(context, 'runbook', ['systems', 'target', 'urlEnv'], {
      code: 'same-database',
      message: 'source and target are the same database',
      remedy: 'name another variable',
    });
  }
  for (const [id, { urlEnv }] of Object.entries(runbook.systems)) {
    if (!OWN_VARIABLES.includes(urlEnv)) continue;
    report(context, 'runbook', ['systems', id, 'urlEnv'], {
      code: 'reserved-variable',
      message: `\`${urlEnv}\` names what the cutover itself uses`,
      remedy: 'name a variable of your own, such as SOURCE_URL',
    });
  }
  if (runbook.population.system !== 'source' && Object.hasOwn(runbook.systems, runbook.population.system)) {
    report(context, 'runbook', ['population', 'system'], {
      code: 'population-elsewhere',
      message: 'the population is what the source holds',
      remedy: 'write `source`',
    });
  }
  for (const [id, work] of Object.entries(runbook.work)) {
    const adapter = runbook.systems[work.system]?.adapter;
    const wanted = 'broker' in work && work.broker === 'rabbitmq' ? 'rabbitmq' : 'postgres';
    if (!adapter || adapter === wanted) continue;
    report(context, 'runbook', ['work', id, 'system'], {
      code: 'wrong-adapter',
      message: `\`${work.system}\` is ${adapter}, and this work lives in ${wanted}`,
      remedy: `name a system with \`adapter: ${wanted}\``,
    });
  }
};

const CALL = /^(GET|POST|PUT|PATCH|DELETE) \/\S*$/;

/** What an action says must suit its system. */
export const actions: Rule = (context) => {
  for (const { path, step } of context.steps) {
    if (step.kind !== 'action') continue;
    const adapter = context.runbook.systems[step.system]?.adapter;
    if (adapter === 'rabbitmq') {
      report(context, 'runbook', [...path, 'system'], {
        code: 'wrong-adapter',
        message: 'an action runs over http or postgres',
        remedy: 'name another system',
      });
    }
    for (const key of ['do', 'undo', 'check'] as const) {
      const text = step[key];
      if (text === undefined || (key === 'undo' && text === 'none')) continue;
      const form = key === 'check' ? /^GET \/\S*$/ : CALL;
      const isCall = CALL.test(text.trim());
      if (adapter === 'http' && !form.test(text.trim())) {
        report(context, 'runbook', [...path, key], {
          code: 'bad-action',
          message: `\`${key}\` is not a call`,
          remedy: `write \`${key === 'check' ? 'GET' : 'POST'} /path\``,
        });
      } else if (adapter === 'postgres' && isCall) {
        report(context, 'runbook', [...path, key], {
          code: 'bad-action',
          message: `\`${key}\` is a call, and \`${step.system}\` is a database`,
          remedy: 'write an SQL statement',
        });
      }
    }
  }
};
