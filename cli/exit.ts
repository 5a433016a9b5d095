/** What the command's exit code says. */
export const EXIT = { ok: 0, failed: 1, usage: 2, refused: 3, unreachable: 4, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `Exit codes:
  0  done
  1  findings, or a run that ended otherwise than asked for
  2  the command line is wrong
  3  refused: by the rules of the run, or because the state does not allow it
  4  something that is needed cannot be reached (Temporal, a worker, a database)
  130  Ctrl-C`;

/** An end of the command that people can act on: what is wrong, what to do, and the exit code. */
export class CliError extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    readonly remedy: string | null = null,
  ) {
    super(message);
    this.name = 'CliError';
  }
}

export const usage = (message: string, remedy: string | null = null): CliError =>
  new CliError(EXIT.usage, message, remedy);
export const refused = (message: string, remedy: string | null = null): CliError =>
  new CliError(EXIT.refused, message, remedy);
export const unreachable = (message: string, remedy: string | null = null): CliError =>
  new CliError(EXIT.unreachable, message, remedy);
