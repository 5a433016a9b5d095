import { readOptions } from './options';
import { runDemo } from './run';

/** `npm run demo`: the whole cutover on this machine; ends with exit code 0 only when every promise held. */
runDemo(readOptions(process.argv.slice(2))).then(
  (held) => {
    process.exitCode = held ? 0 : 1;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
