import { allCommands, buildProgram } from '../../cli/program';
import { runCli } from '../../cli/run-cli';
import { fakeCli } from './support/fake-cli';

const VERBS = [
  ...[
    'inspect',
    'new',
    'check',
    'plan',
    'start',
    'list',
    'status',
    'watch',
    'lookup',
    'report',
    'durations',
    'vote',
    'go',
    'task',
  ],
  ...[
    'check-item',
    'reassign',
    'incident',
    'pause',
    'resume',
    'retry',
    'skip',
    'reschedule',
    'amend',
    'rollback',
    'worker',
    'codec',
    'doctor',
  ],
];

/** Splits a command line as a shell does, as far as the examples use it. */
function words(line: string): string[] {
  const [own = ''] = line.split(' | ');
  return [...own.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

async function helpOf(path: string[]): Promise<string> {
  const cli = fakeCli();
  expect(await runCli([...path, '--help'], cli)).toBe(0);
  return cli.stdout;
}

const pathOf = (command: { name(): string; parent: unknown }): string[] => {
  const parent = command.parent as { name(): string; parent: unknown } | null;
  return parent && parent.parent !== undefined && parent.name() !== 'cutover'
    ? [...pathOf(parent), command.name()]
    : [command.name()];
};

describe('the command line', () => {
  it('has every verb of a night', () => {
    const names = buildProgram(fakeCli()).commands.map((command) => command.name());
    expect(names.sort()).toEqual([...VERBS].sort());
  });

  it.each(allCommands(buildProgram(fakeCli())).map((command) => [pathOf(command).join(' '), pathOf(command)] as const))(
    'shows examples in the help of %s that parse, and the exit codes',
    async (_name, path) => {
      const help = await helpOf(path);
      const lines = [...help.matchAll(/^ {2}\$ cutover (.+)$/gm)].map((match) => match[1] ?? '');
      expect(lines.length).toBeGreaterThan(0);
      expect(help).toContain('4  something that is needed cannot be reached');
      for (const line of lines) {
        const program = buildProgram(fakeCli());
        const reached: string[] = [];
        for (const command of allCommands(program))
          if (command.commands.length === 0) command.action(() => void reached.push(pathOf(command).join(' ')));
        await program.parseAsync(words(line), { from: 'user' });
        expect(reached).toEqual([expect.stringMatching(new RegExp(`^${path.join(' ')}`))]);
      }
    },
  );

  it.each([
    ['an unknown verb', ['voet'], 'Did you mean vote?'],
    ['a vote that is neither go nor no-go', ['vote', 'n', 'g', 'maybe', '--as', 'ann'], 'go, no-go'],
    ['a message without a person', ['go', 'n', 'freeze'], '--as'],
    ['a wave that is no number', ['go', 'n', 'freeze', '--as', 'ann', '--wave', 'two'], 'a wave is a number'],
    [
      'an instant without an offset',
      ['reschedule', 'n', 'w', '--opens', '2026-12-05T23:00:00', '--closes', '2026-12-06T05:00:00Z', '--as', 'a'],
      'offset',
    ],
    [
      'a window that closes before it opens',
      ['reschedule', 'n', 'w', '--opens', '2026-12-06T05:00:00Z', '--closes', '2026-12-05T23:00:00Z', '--as', 'a'],
      'closes after it opens',
    ],
    ['a format that does not exist', ['list', '--output', 'xml'], 'text, json'],
    [
      'a person who is not in the plan',
      [
        'start',
        'test/runbooks/tiny/runbook.yaml',
        '--plan',
        'test/runbooks/tiny/plan.yaml',
        '--id',
        'n-1',
        '--as',
        'eve',
      ],
      'ada, ben, cas',
    ],
    [
      'an id that is no id',
      [
        'start',
        'test/runbooks/tiny/runbook.yaml',
        '--plan',
        'test/runbooks/tiny/plan.yaml',
        '--id',
        'n/1',
        '--as',
        'ada',
      ],
      'letters, digits and dashes',
    ],
  ])('answers %s with exit code 2 and says what is right', async (_what, argv, said) => {
    const cli = fakeCli();
    expect(await runCli(argv, cli)).toBe(2);
    expect(cli.stderr).toContain(said);
    expect(cli.stdout).toBe('');
  });

  it('says with exit code 4 what is not there, in words or as JSON', async () => {
    const text = fakeCli();
    expect(await runCli(['list'], text)).toBe(4);
    expect(text.stderr).toMatch(/CONTROL_URL is not set\n→ set it/);
    const json = fakeCli({ CONTROL_URL: 'postgres://nobody@127.0.0.1:1/none' });
    expect(await runCli(['list', '-o', 'json'], json)).toBe(4);
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: { exitCode: 4, remedy: expect.stringContaining('CONTROL_URL') },
    });
  });
});
