import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { connect } from '../../systems/postgres/connect';
import type { DatabasePicture } from '../../systems/postgres/inspect/picture';
import { readPicture } from '../../systems/postgres/inspect/read-picture';
import { printLine, type Cli } from '../cli';
import { examples, outputOption, type CommonOptions } from '../command';
import { reasonOf } from '../connect';
import { CliError, EXIT, unreachable } from '../exit';
import { draftOf, type Draft } from '../inspect/draft';
import { inspectionJson } from '../inspect/inspection-json';
import { preparation } from '../inspect/prepare';
import { troublesOf } from '../inspect/troubles';
import { conversionText } from '../inspect/write-conversion';
import { summaryText } from '../inspect/write-summary';
import { postgresUrl } from '../live/urls';

interface InspectOptions extends CommonOptions {
  source: string;
  target: string;
  customers?: string;
  targetCustomers?: string;
  pair: Map<string, string>;
  schema: string[];
  out?: string;
}

export function registerInspect(program: Command, cli: Cli): void {
  const command = program
    .command('inspect')
    .summary('read both databases and draft a conversion')
    .description(
      'Reads the catalogs of source and target, counts rows, and drafts a conversion: who the customers are, what becomes of ' +
        'each table and column, in which order, and what would be trouble. It writes nothing into either and shows no value of a row.',
    )
    .option('--source <variable>', 'the environment variable with the URL of the source', 'SOURCE_URL')
    .option('--target <variable>', 'the environment variable with the URL of the target', 'TARGET_URL')
    .option('--customers <table>', 'the table of the customers at the source, such as legacy.customer')
    .option('--target-customers <table>', 'the same at the target')
    .option('--pair <source=target>', 'these tables belong together; may be repeated', collectPair, new Map())
    .option('--schema <name>', 'look at this schema only; may be repeated', collect, [])
    .option(
      '--out <folder>',
      'write conversion.yaml there, and source.sql and target.sql where a side must be prepared',
    )
    .addOption(outputOption())
    .action((options: InspectOptions) => inspect(cli, options));
  examples(command, [
    'cutover inspect',
    'cutover inspect --customers shop.client --pair shop.bill=sales.invoice --out runbooks/my-shop',
  ]);
}

const collect = (value: string, before: string[]): string[] => [...before, value];

function collectPair(value: string, before: Map<string, string>): Map<string, string> {
  const [source, target, ...more] = value.split('=');
  if (!source || !target || more.length > 0) throw new InvalidArgumentError('write --pair SOURCE.TABLE=TARGET.TABLE.');
  return new Map([...before, [source, target]]);
}

async function inspect(cli: Cli, options: InspectOptions): Promise<void> {
  const [source, target] = await Promise.all([read(cli, options.source, options), read(cli, options.target, options)]);
  for (const [from, to] of options.pair) {
    known(source, from, 'source');
    known(target, to, 'target');
  }
  const found = draftOf(source, target, {
    customers: options.customers && known(source, options.customers, 'source'),
    targetCustomers: options.targetCustomers && known(target, options.targetCustomers, 'target'),
    pairs: options.pair,
  });
  if ('noCustomers' in found)
    throw new CliError(
      EXIT.failed,
      `no table of the ${found.noCustomers} can be the customers: it needs a primary key of one column`,
      `name it: ${found.noCustomers === 'source' ? '--customers' : '--target-customers'} SCHEMA.TABLE`,
    );
  const troubles = troublesOf(found);
  const written = options.out === undefined ? [] : await write(options.out, found);
  if (options.output === 'json')
    return printLine(cli, JSON.stringify(inspectionJson(found, troubles, written), null, 2));
  printLine(cli, summaryText(cli, found, troubles));
  printLine(cli, '');
  if (options.out === undefined) return printLine(cli, 'nothing was written: --out FOLDER keeps the draft');
  printLine(cli, `written: ${written.join(', ')}`);
}

async function read(cli: Cli, variable: string, { schema }: InspectOptions): Promise<DatabasePicture> {
  const pool = connect(postgresUrl(cli, variable), { applicationName: 'cutover inspect', max: 1 });
  try {
    return await readPicture(pool, schema.length > 0 ? schema : null);
  } catch (error) {
    throw unreachable(
      `${variable} cannot be read: ${reasonOf(error)}`,
      'start the database, or mend its URL, its password or its rights',
    );
  } finally {
    await pool.end();
  }
}

function known(database: DatabasePicture, name: string, side: string): string {
  if (database.tables.some((table) => table.name === name)) return name;
  throw new CliError(
    EXIT.usage,
    `the ${side} has no table ${name}`,
    `its tables: ${database.tables.map((table) => table.name).join(', ')}`,
  );
}

/** Writes the files of a draft into a folder. A conversion that is there already is somebody's work: it is not replaced. */
async function write(folder: string, draft: Draft): Promise<string[]> {
  const files: [string, string][] = [
    ['conversion.yaml', conversionText(draft)],
    ['source.sql', preparation(draft, 'source')],
    ['target.sql', preparation(draft, 'target')],
  ];
  await mkdir(folder, { recursive: true });
  const written: string[] = [];
  for (const [name, text] of files.filter(([, content]) => content !== '')) {
    const file = path.join(folder, name);
    try {
      await writeFile(file, text, { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new CliError(EXIT.refused, `${file} is there already`, 'name another folder under --out, or move it away');
    }
    written.push(file);
  }
  return written;
}
