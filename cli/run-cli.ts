import { CommanderError } from 'commander';
import type { Cli } from './cli';
import { reasonOf } from './connect';
import { CliError, EXIT } from './exit';
import { buildProgram } from './program';

/**
 * Runs one command line (without node and script) and resolves to its exit code. What goes wrong is told on standard
 * error: in words, or as one line of JSON when the answer was asked for as JSON.
 */
export async function runCli(argv: readonly string[], cli: Cli): Promise<number> {
  const program = buildProgram(cli);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const told = error instanceof CliError ? error : explain(error);
    if (cli.stop.aborted && told.exitCode !== EXIT.interrupted) return EXIT.ok;
    if (wantsJson(argv)) {
      const { message, remedy, exitCode } = told;
      cli.io.err(`${JSON.stringify({ error: { message, remedy, exitCode } })}\n`);
    } else {
      cli.io.err(`${told.message}\n${told.remedy === null ? '' : `→ ${told.remedy}\n`}`);
    }
    return told.exitCode;
  }
}

const wantsJson = (argv: readonly string[]): boolean =>
  argv.some(
    (arg, index) => /^(--output=|-o=?)json$/.test(arg) || (/^(--output|-o)$/.test(arg) && argv[index + 1] === 'json'),
  );

/** A fault in words; whether something could not be reached decides the code. */
function explain(error: unknown): CliError {
  const name = error instanceof Error ? error.name : '';
  const reason = reasonOf(error);
  const lost = name === 'ServiceError' || /cannot be reached|ECONNREFUSED|UNAVAILABLE|DEADLINE_EXCEEDED/.test(reason);
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${reasonOf(error.cause)}` : '';
  return new CliError(
    lost ? EXIT.unreachable : EXIT.failed,
    `${reason}${cause}`,
    lost ? 'cutover doctor says what is not there' : null,
  );
}
