import { ARGUMENTS, ENVIRONMENTS, FILES, PLANS, PROCESSES } from './cases/command';
import { BODIES, PATHS, RAW } from './cases/gateway';
import { WRONG } from './cases/systems';
import { MALFORMED, REFUSED, SIGNALS, STARTS } from './cases/temporal';

const DOORS = {
  'command line': ARGUMENTS.length,
  files: FILES.length + PLANS.length,
  environment: ENVIRONMENTS.length + PROCESSES.length,
  HTTP: BODIES.length + RAW.length + PATHS.length,
  Updates: REFUSED.length + MALFORMED.length,
  signals: SIGNALS.length,
  'runs started by hand': STARTS.length,
  systems: WRONG.length,
};
const total = Object.values(DOORS).reduce((sum, count) => sum + count, 0);

test(`${total} kinds of bad input knock at ${Object.keys(DOORS).length} doors: ${JSON.stringify(DOORS)}`, () => {
  expect(total).toBeGreaterThanOrEqual(60);
  for (const count of Object.values(DOORS)) expect(count).toBeGreaterThanOrEqual(3);
});
