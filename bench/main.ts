import { cpus, totalmem } from 'node:os';
import { holds } from './measure';
import { readOptions } from './options';
import { Place } from './place';
import { SCENARIOS } from './scenarios';
import { keepTable, tableOf } from './table';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const ENDINGS = ['SIGINT', 'SIGTERM'] as const;

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return 0;
  const { customers, rounds, only, save } = options;
  const place = Place.open();
  for (const signal of ENDINGS) process.once(signal, () => void place.close().finally(() => process.exit(130)));
  try {
    const lines = [];
    for (const name of only) {
      say(`# ${name}: ${SCENARIOS[name]!.about}`);
      lines.push(...(await SCENARIOS[name]!.run({ place, customers, rounds, say })));
    }
    const heading = `${customers} customers, ${rounds} rounds, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}.`;
    say(`\n${heading}\n\n${tableOf(lines)}`);
    if (save !== null) keepTable(save, heading, lines);
    return lines.some((line) => holds(line) === false) ? 1 : 0;
  } finally {
    await place.close();
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(2);
  },
);
