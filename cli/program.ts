import { Command } from 'commander';
import type { Cli } from './cli';
import { registerAmend } from './commands/amend';
import { registerCheck } from './commands/check';
import { registerCheckItem } from './commands/check-item';
import { registerCodec } from './commands/codec';
import { registerDoctor } from './commands/doctor';
import { registerDurations } from './commands/durations';
import { registerIncident } from './commands/incident';
import { registerInspect } from './commands/inspect';
import { registerList } from './commands/list';
import { registerLookup } from './commands/lookup';
import { registerGo, registerReassign, registerRetry, registerSkip, registerTask } from './commands/messages';
import { registerNew } from './commands/new';
import { registerPlan } from './commands/plan';
import { registerReport } from './commands/report';
import { registerStart } from './commands/start';
import { registerStatus } from './commands/status';
import { registerPause, registerReschedule, registerResume, registerRollback } from './commands/steering';
import { registerVote } from './commands/vote';
import { registerWatch } from './commands/watch';
import { registerWorker } from './commands/worker';
import { EXIT_CODES_HELP } from './exit';

type Register = (program: Command, cli: Cli) => void;

/** Verbs in the order of a night, as the help shows them. */
const GROUPS: Readonly<Record<string, readonly Register[]>> = {
  'Before:': [registerInspect, registerNew, registerCheck, registerPlan, registerStart],
  'Watching:': [registerList, registerStatus, registerWatch, registerLookup, registerReport, registerDurations],
  'Taking part:': [registerVote, registerGo, registerTask, registerCheckItem, registerReassign, registerIncident],
  'Steering:': [
    registerPause,
    registerResume,
    registerRetry,
    registerSkip,
    registerReschedule,
    registerAmend,
    registerRollback,
  ],
  'Running:': [registerWorker, registerCodec, registerDoctor],
};

/** The whole command. Throws commander's errors instead of ending the process. */
export function buildProgram(cli: Cli): Command {
  const program = new Command('cutover')
    .description('Moves the customers of a running business from an old system to a new one, and back if need be.')
    .version('0.1.0')
    .configureOutput({
      writeOut: (text) => cli.io.out(text),
      writeErr: (text) => cli.io.err(text),
      getOutHasColors: () => cli.io.color,
      getErrHasColors: () => cli.io.color,
    })
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', `\n${EXIT_CODES_HELP}`);
  for (const [heading, verbs] of Object.entries(GROUPS)) {
    program.commandsGroup(heading);
    for (const register of verbs) register(program, cli);
  }
  for (const command of allCommands(program)) command.exitOverride().addHelpText('after', `\n${EXIT_CODES_HELP}`);
  return program;
}

/** Every verb and verb of a verb. */
export const allCommands = (program: Command): Command[] =>
  program.commands.flatMap((command) => [command, ...allCommands(command)]);
