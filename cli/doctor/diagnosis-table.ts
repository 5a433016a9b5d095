import type { Cli } from '../cli';
import { statusWord, table } from '../show/format';
import type { Diagnosis } from './finding';

/** What was looked at, a row each with its remedy, and a sentence that counts what is wrong. */
export function diagnosisText(cli: Cli, found: readonly Diagnosis[]): string {
  const rows = found.map((each) => [
    statusWord(cli, each.verdict),
    each.what,
    each.remedy === null ? each.said : `${each.said}\n→ ${each.remedy}`,
  ]);
  const wrong = found.filter((each) => each.verdict === 'bad').length;
  const summary = wrong === 0 ? 'all well' : `${wrong} ${wrong === 1 ? 'thing is' : 'things are'} wrong`;
  return `${table(cli, ['', 'what', 'found'], rows)}\n\n${summary}`;
}
