import { freshDatabase } from '../../support/databases';
import { oldServer } from '../support/old-server';
import { onFullDisk } from '../support/small-disk';
import { changed, query, readOnly, type Urls } from '../support/tiny-systems';

interface Wrong {
  what: string;
  /** Makes it wrong; may return what puts it away again. */
  tell?: (told: Partial<Urls>, actual: Urls) => Promise<unknown> | void;
  conversion?: (text: string) => string;
  plan?: (text: string) => string;
  /** What a person reads: where it is, and what to do. */
  says: RegExp[];
  /** Whether the run goes on by itself once it is mended. */
  again: boolean;
}

export const WRONG: readonly Wrong[] = [
  {
    what: 'a source nobody listens at',
    tell: (told, { SOURCE_URL }) => void (told.SOURCE_URL = changed(SOURCE_URL, (url) => (url.port = '1'))),
    says: [/preparing the source \(SOURCE_URL\): the database at \S+:1 cannot be reached \(ECONNREFUSED\)/],
    again: true,
  },
  {
    what: 'a source on a host nobody knows',
    tell: (told) => void (told.SOURCE_URL = 'postgres://nobody@no-such-host.invalid/x'),
    says: [/source \(SOURCE_URL\): the database at no-such-host\.invalid cannot be reached/],
    again: true,
  },
  {
    what: 'a target database that does not exist',
    tell: (told, { TARGET_URL }) => void (told.TARGET_URL = changed(TARGET_URL, (url) => (url.pathname = '/nowhere'))),
    says: [/preparing the target \(TARGET_URL\).*database "nowhere" does not exist/],
    again: false,
  },
  {
    what: 'a role the target does not know',
    tell: (told, { TARGET_URL }) => void (told.TARGET_URL = changed(TARGET_URL, (url) => (url.username = 'eve'))),
    says: [/preparing the target \(TARGET_URL\).*role "eve" does not exist/],
    again: false,
  },
  {
    what: 'a URL of another kind of database',
    tell: (told) => void (told.SOURCE_URL = 'mysql://root:secret@127.0.0.1/x'),
    says: [
      /^SOURCE_URL of the source is not a PostgreSQL URL; set it to postgres:\/\/… for this worker and restart it$/,
    ],
    again: true,
  },
  {
    what: 'no URL at all',
    tell: (told) => void delete told.TARGET_URL,
    says: [/the environment variable TARGET_URL; set it for this worker and restart it/],
    again: true,
  },
  {
    what: 'a source without the tables of the runbook',
    tell: async (told) => (told.SOURCE_URL = await freshDatabase('door_empty')),
    says: [/relation "tiny\.customer" does not exist/],
    again: false,
  },
  {
    what: 'the same database as source and target',
    tell: (told) => void (told.TARGET_URL = told.SOURCE_URL ?? ''),
    says: [/installed here for the source, not the target.*two databases, mend their URLs/],
    again: false,
  },
  {
    what: 'a target that may only be read',
    tell: (_, { TARGET_URL }) => readOnly(TARGET_URL),
    says: [/preparing the target \(TARGET_URL\).*25006.*read-only transaction/],
    again: false,
  },
  {
    what: 'a source that may only be read',
    tell: (_, { SOURCE_URL }) => readOnly(SOURCE_URL),
    says: [/preparing the source \(SOURCE_URL\).*25006.*read-only transaction/],
    again: false,
  },
  {
    what: 'a role without rights in the target',
    tell: async (told, { TARGET_URL }) => {
      const role = `weak_${process.pid}`;
      await query(TARGET_URL, `create role ${role} login password 'w'`);
      told.TARGET_URL = changed(TARGET_URL, (url) => ((url.username = role), (url.password = 'w')));
    },
    says: [/preparing the target \(TARGET_URL\).*42501: permission denied for database/],
    again: false,
  },
  {
    what: 'a mapping that names a column nobody has',
    conversion: (text) => text.replace('words: { to: body,', 'words: { to: bodi,'),
    says: [/entity memo, column words: column "bodi" does not exist\. Correct its expression/],
    again: false,
  },
  {
    what: 'a mapping that fails on some rows',
    conversion: (text) =>
      text.replace(
        'words: { to: body, back: words }',
        'words: { to: (length(body)/(id-7))::text, back: words, into: body }',
      ),
    says: [/chunk \d+ of entity memo/, /22012/],
    again: false,
  },
  {
    what: 'a wave whose condition fails on some customers',
    plan: (text) =>
      text.replace('  - { id: all }', "  - { id: pilot, where: 'btrim(label)::int < 9' }\n  - { id: rest }"),
    says: [/^choosing the customers of wave pilot: PostgreSQL error 22P02$/],
    again: false,
  },
  {
    what: 'a target that forbids what the mapping gives',
    tell: (_, { TARGET_URL }) =>
      query(TARGET_URL, 'alter table shop.memo add constraint short check (length(words) < 3)'),
    says: [/chunk \d+ of entity memo.*23514 at shop\.memo\.short/],
    again: false,
  },
  {
    what: 'a target that holds rows of the wave already',
    tell: (_, { TARGET_URL }) =>
      query(
        TARGET_URL,
        `insert into shop.client values ('t1', 'somebody else'); insert into shop.memo values (1, 't1', 'not a copy')`,
      ),
    says: [
      /the target already holds 2 rows of customers of wave 1 that this cutover did not copy; move them away, then retry/,
    ],
    again: false,
  },
  {
    what: 'a target on an older server than this program knows',
    tell: async (told, { TARGET_URL }) => {
      const old = await oldServer(TARGET_URL, 130_011);
      told.TARGET_URL = old.url;
      return old.close;
    },
    says: [
      /preparing the target \(TARGET_URL\): the server is PostgreSQL 13, this program needs 15 or newer: upgrade it/,
    ],
    again: false,
  },
  {
    what: 'a schema `cutover` that a newer program installed',
    tell: async (_, { SOURCE_URL }) => installed(SOURCE_URL, 'source', 99),
    says: [
      /preparing the source.*schema cutover has version 99, this program needs \d+: finish its cutover with the program/,
    ],
    again: false,
  },
  {
    what: 'a schema `cutover` that an older program installed',
    tell: async (_, { TARGET_URL }) => installed(TARGET_URL, 'target', 0),
    says: [
      /preparing the target.*schema cutover has version 0, this program needs \d+: finish its cutover with the program/,
    ],
    again: false,
  },
  {
    what: 'a target whose disk is full',
    tell: async (_, { TARGET_URL }) => (await onFullDisk(TARGET_URL, 'shop.memo')).release,
    says: [/chunk \d+ of entity memo.*53100.*No space left on device/],
    again: true,
  },
];

async function installed(url: string, side: 'source' | 'target', version: number): Promise<void> {
  await query(
    url,
    `create schema cutover; create table cutover.meta (only_row boolean primary key default true, version int, side text);
     insert into cutover.meta (version, side) values (${version}, '${side}')`,
  );
}
