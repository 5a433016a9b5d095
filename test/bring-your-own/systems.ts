import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectDir } from '../../local/paths';
import { withClient } from '../../local/with-client';

/** Two pairs of systems that know nothing of the shipped runbook: odd names, keys of several columns, circles, views. */
export const SYSTEMS = ['utility', 'library'] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** Tables of the library that no likeness of names brings together. */
export const PAIRS: Readonly<Record<SystemName, readonly string[]>> = {
  utility: [],
  library: [
    'lib.branch=catalogue.library',
    'lib.books=catalogue.copy',
    'lib.loan=circulation.lending',
    'lib.fine=circulation.penalty',
    'lib.fine_payment=circulation.penalty_payment',
  ],
};

const systemSql = (name: SystemName, file: 'source' | 'fill' | 'target'): string =>
  readFileSync(join(projectDir(), 'test', 'bring-your-own', name, `${file}.sql`), 'utf8');

/** Makes both systems in two empty databases. */
export async function makeSystems(name: SystemName, source: string, target: string): Promise<void> {
  await withClient(source, (client) => client.query(systemSql(name, 'source') + systemSql(name, 'fill')));
  await withClient(target, (client) => client.query(systemSql(name, 'target')));
}
