import { withClient } from '../../../local/with-client';
import { blocksOf } from '../../support/pages';

const OWNER = 'business_owner';
const SIDES = ['source', 'target', 'control'] as const;
type Urls = Record<(typeof SIDES)[number], string>;

/** The same database under another role; the test's server trusts everybody. */
export const asRole = (url: string, role: string): string => url.replace(/\/\/[^@]+@/, `//${role}@`);

/** The SQL under a heading of docs/database-roles.md, as an administrator would run it. */
function pageSql(heading: string): string {
  const found = blocksOf('database-roles.md').find((block) => block.info === 'sql' && block.heading === heading);
  if (!found) throw new Error(`docs/database-roles.md has no SQL under "${heading}"`);
  return found.text;
}

const run = (url: string, sql: string): Promise<unknown> => withClient(url, (client) => client.query(sql));

/** The roles of the page and one that owns the business's tables, unless this server has them. */
export async function makeRoles(server: string): Promise<void> {
  const there = await withClient(server, (client) => client.query(`select from pg_roles where rolname = $1`, [OWNER]));
  if (there.rowCount === 0) await run(server, `create role ${OWNER} login; ${pageSql('Once per server')}`);
}

/** Lets the owner make schemas in source and target; returns the URLs under that role. */
export async function giveToOwner(urls: Urls): Promise<Urls> {
  for (const side of ['source', 'target'] as const)
    await run(urls[side], `grant create on database ${new URL(urls[side]).pathname.slice(1)} to ${OWNER}`);
  return { source: asRole(urls.source, OWNER), target: asRole(urls.target, OWNER), control: urls.control };
}

/** What the page says for each of the three databases. */
export async function grantRoles(urls: Urls): Promise<void> {
  for (const side of SIDES) await run(urls[side], pageSql(`In the ${side} database`));
}
