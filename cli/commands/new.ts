import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { formatFinding, type Finding } from '../../runbooks/finding';
import { parseDocuments } from '../../runbooks/load';
import { id as idSchema } from '../../runbooks/schema/common';
import { print, type Cli } from '../cli';
import { examples, outputOption, type CommonOptions } from '../command';
import { checkFiles } from '../documents';
import { refused, usage } from '../exit';
import { adaptPlan, adaptRunbook, populationOf, type Population } from '../new/adapt';
import { readmeText } from '../new/readme';

interface NewOptions extends CommonOptions {
  from: string;
  conversion?: string;
  dir: string;
}

interface Made {
  written: string[];
  findings: Finding[];
}

export function registerNew(program: Command, cli: Cli): void {
  const command = program
    .command('new')
    .summary('make a runbook of your own from a shipped one')
    .description(
      'Writes a folder with runbook.yaml, conversion.yaml, plan.yaml and a README that lists what is to be decided. With --conversion ' +
        'the runbook is fitted to it: what only suits the shipped company’s data is left out.',
    )
    .argument('<name>', 'what the runbook is called: letters, digits and dashes')
    .requiredOption('--from <runbook>', 'the shipped runbook, or a folder with one')
    .option('--conversion <file>', 'the conversion, as `cutover inspect --out` drafts it')
    .option('--dir <folder>', 'where the folder is made', 'runbooks')
    .addOption(outputOption())
    .action(async (name: string, options: NewOptions) =>
      print(cli, options.output, await make(cli, name, options), text),
    );
  examples(command, [
    'cutover new my-shop --from billing-oss',
    'cutover new my-shop --from billing-oss --conversion runbooks/my-shop/conversion.yaml',
  ]);
}

async function make(cli: Cli, name: string, options: NewOptions): Promise<Made> {
  if (!idSchema.safeParse(name).success)
    throw usage(`${JSON.stringify(name.slice(0, 80))} is no id`, 'letters, digits and dashes, beginning with a letter');
  const shipped = folderOf(options.from);
  const folder = path.join(options.dir, name);
  const conversionFile = path.join(folder, 'conversion.yaml');
  const conversion = await readable(options.conversion ?? path.join(shipped, 'conversion.yaml'));
  const population = options.conversion === undefined ? null : populationIn(options.conversion, conversion);
  const documents = {
    'runbook.yaml': adaptRunbook(await readable(path.join(shipped, 'runbook.yaml')), name, population),
    'conversion.yaml': conversion,
    'plan.yaml': adaptPlan(await readable(path.join(shipped, 'plan.yaml')), name, population),
  };
  const files: Record<string, string> = {
    ...documents,
    'README.md': readmeText(name, folder, options.from, documents),
  };
  const inPlace = options.conversion !== undefined && path.resolve(options.conversion) === path.resolve(conversionFile);
  if (inPlace) delete files['conversion.yaml'];
  for (const file of Object.keys(files))
    if (existsSync(path.join(folder, file)))
      throw refused(`${path.join(folder, file)} is there already`, 'choose another name, or move it away');
  await mkdir(folder, { recursive: true });
  const written: string[] = [];
  for (const [file, body] of Object.entries(files)) {
    await writeFile(path.join(folder, file), body, { flag: 'wx' });
    written.push(path.join(folder, file));
  }
  const { findings } = await checkFiles(path.join(folder, 'runbook.yaml'), path.join(folder, 'plan.yaml'), cli.now());
  return { written, findings };
}

/** A folder that was named, or the shipped one of that name: `runbooks/` lies above the program. */
function folderOf(from: string): string {
  const isRunbook = (folder: string): boolean => existsSync(path.join(folder, 'runbook.yaml'));
  if (isRunbook(from)) return from;
  for (let at = __dirname; ; at = path.dirname(at)) {
    const folder = path.join(at, 'runbooks', from);
    if (isRunbook(folder)) return folder;
    if (path.dirname(at) === at)
      throw usage(`there is no runbook ${from}`, 'write --from billing-oss, or a folder with a runbook.yaml');
  }
}

async function readable(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw usage(
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
      'give the path of a YAML file',
    );
  }
}

function populationIn(file: string, text: string): Population {
  const { conversion, findings } = parseDocuments({
    runbook: '',
    conversion: text,
    files: { runbook: '', conversion: file },
  });
  if (conversion) return populationOf(conversion);
  const own = findings.filter((finding) => finding.file === file).map(formatFinding);
  throw usage(own.join('\n'), 'mend the conversion first');
}

function text({ written, findings }: Made): string {
  const left = findings.map(formatFinding);
  return [
    ...written.map((file) => `written: ${file}`),
    ...(left.length > 0
      ? ['', '`cutover check` names what is left to edit:', ...left]
      : ['', '`cutover check` finds nothing wrong']),
    `what is to be decided stands in ${written.find((file) => file.endsWith('README.md')) ?? 'the README'}`,
  ].join('\n');
}
