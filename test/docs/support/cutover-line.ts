import { allCommands, buildProgram } from '../../../cli/program';
import { fakeCli } from '../../cli/support/fake-cli';

/** Splits a command line as a shell does, as far as pages use it. */
export const words = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain ?? '');

/** The verb that a line of `cutover` reaches, its options validated. Throws commander's error when it does not parse. */
export async function verbOf(line: string): Promise<string> {
  const program = buildProgram(fakeCli());
  const reached: string[] = [];
  for (const command of allCommands(program))
    if (command.commands.length === 0) command.action(() => void reached.push(command.name()));
  await program.parseAsync(words(line).slice(1), { from: 'user' });
  return reached.join(' ');
}
