import { setTimeout as sleep } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { printLine, type Cli } from '../cli';
import { examples, type CommonOptions } from '../command';
import { withControlIfThere, withTemporal } from '../connect';
import { CliError, EXIT } from '../exit';
import { findCutover } from '../find-cutover';
import { withForecast, type Forecast, type StatusAhead } from '../forecast';
import { readStatus } from '../run-status';
import { heldText } from '../show/ahead';
import { changesOf, type Change } from '../show/changes';
import { clock, DEAD } from '../show/format';
import { progressBars, type Watched } from '../show/progress-bars';

const EVERY_MS = 1_000;
const MOVED_MS = 5 * 60_000;

export function registerWatch(program: Command, cli: Cli): void {
  const command = program
    .command('watch')
    .summary('follow a cutover live')
    .description(
      'Follows a cutover until it ends or Ctrl-C: progress bars in a terminal, else one line for each change.\n' +
        'Ends with 0 when the cutover is live, with 1 when it ended otherwise.',
    )
    .argument('<id>', 'the cutover')
    .addOption(
      new Option('-o, --output <format>', 'json: one object for each change').choices(['text', 'json']).default('text'),
    )
    .action((id: string, options: CommonOptions) => watch(cli, id, options));
  examples(command, ['cutover watch night-1', 'cutover watch night-1 --output json | jq .text']);
}

async function watch(cli: Cli, id: string, options: CommonOptions): Promise<void> {
  const shown: Watched = cli.io.interactive && options.output === 'text' ? progressBars(cli) : lines(cli, options);
  // Listening tells the process that this verb ends in order by itself.
  const onStop = (): void => undefined;
  cli.stop.addEventListener('abort', onStop);
  try {
    const last = await withTemporal(cli, (temporal) =>
      withControlIfThere(cli, async (control) => {
        const found = await findCutover(id, control, temporal);
        const look = async (): Promise<StatusAhead> =>
          withForecast(await readStatus(found, temporal, control), control, cli.now());
        const ahead = aheadChanges(cli);
        let before = await look();
        let voice: Voice = 'live';
        shown.show(before, [...changesOf(null, before), ...ahead(before.forecast)]);
        while (before.outcome === null && !cli.stop.aborted) {
          await sleep(EVERY_MS, undefined, { signal: cli.stop }).catch(onStop);
          const status = await lookAgain(look);
          const now = voiceOf(status);
          if (now !== voice) shown.show(status ?? before, [heard(now)]);
          voice = now;
          if (status === null || now === 'saved') continue;
          shown.show(status, [...changesOf(before, status), ...ahead(status.forecast)]);
          before = status;
        }
        return before;
      }),
    );
    if (last.outcome !== null && last.outcome !== 'live') cli.exitCode = EXIT.failed;
  } finally {
    shown.close();
    cli.stop.removeEventListener('abort', onStop);
  }
}

/** While nobody answers the watch goes on: a worker or the server may be starting again. */
async function lookAgain(look: () => Promise<StatusAhead>): Promise<StatusAhead | null> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.unreachable) return null;
    throw error;
  }
}

/** Says the expected end when it is known, and again when it has moved by so much that people would want to know; and what is held for too long. */
function aheadChanges(cli: Cli): (forecast: Forecast | null) => Change[] {
  let said: number | null = null;
  const told = new Set<number>();
  return (forecast) => {
    if (!forecast) return [];
    const now = cli.now();
    const late = forecast.held.filter(({ wave, until }) => until <= now && !told.has(wave));
    for (const { wave } of late) told.add(wave);
    const changes = late.map((held): Change => ({ wave: held.wave, subject: held.step, text: heldText(held, now) }));
    if (said !== null && Math.abs(forecast.endsAt - said) < MOVED_MS) return changes;
    said = forecast.endsAt;
    return [...changes, { wave: null, subject: 'run', text: `expected to end at ${clock(said, now)}` }];
  };
}

type Voice = StatusAhead['source'];

/** What has ended is as it is, whoever answers. */
const voiceOf = (status: StatusAhead | null): Voice =>
  status === null ? 'saved' : status.outcome === null ? status.source : 'live';

const HEARD: Record<Voice, string> = {
  live: 'the run answers again',
  saved: 'the run does not answer: no worker, or no Temporal server; still watching',
  dead: `${DEAD}; still watching`,
};

const heard = (voice: Voice): Change => ({ wave: null, subject: 'run', text: HEARD[voice] });

function lines(cli: Cli, options: CommonOptions): Watched {
  return {
    show: (_status, changes) => {
      for (const change of changes) {
        const at = new Date(cli.now()).toISOString();
        if (options.output === 'json') printLine(cli, JSON.stringify({ at, ...change }));
        else
          printLine(cli, `${at.slice(11, 19)}Z ${change.wave === null ? '' : `wave ${change.wave}: `}${change.text}`);
      }
    },
    close: () => undefined,
  };
}
