import type { Moment } from '../../support/proxy';
import { DATABASES, type Database } from '../../e2e/support/stage';
import { NotHappened, type Field } from '../field';
import type { Fault, Trial } from '../trial';

type Statements = Record<Database, Record<string, RegExp>>;

/** One statement of each transaction that a night to the target makes, by database. */
const FORWARD: Statements = {
  source: {
    copy: /^copy \(select/i,
    action: /insert into tiny\.job/,
    raise: /cutover\.raise\(/,
    freeze: /cutover\.freeze\(/,
    renew: /cutover\.renew\(/,
    carryBackStart: /update cutover\.fence set position/,
    seal: /cutover\.seal\(/,
  },
  target: {
    raise: /cutover\.raise\(/,
    chunk: /from stdin/i,
    position: /update cutover\.fence set position/,
    proof: /insert into cutover\.proof/,
    open: /cutover\.open\(/,
  },
  control: {
    register: /insert into control\.cutover /,
    epoch: /insert into control\.epoch_taken/,
    undo: /insert into control\.undo/,
    plan: /insert into control\.chunk/,
    claim: /update control\.chunk c set state = 'claimed'/,
    chunkDone: /update control\.chunk set state = 'done'/,
    routing: /update control\.wave set custody/,
    intake: /update control\.wave set intake = 'open'/,
    ledger: /insert into control\.ledger /,
    result: /insert into control\.result/,
    close: /update control\.cutover set outcome/,
  },
};

/** The same of the way back after a switch. */
const BACK: Statements = {
  source: {
    carriedRows: /update cutover\.fence set position/,
    open: /cutover\.open\(/,
    thaw: /cutover\.thaw\(/,
    action: /insert into tiny\.job values \('start'\)/,
  },
  target: {
    freeze: /cutover\.freeze\(/,
    seal: /cutover\.seal\(/,
    purge: /delete from cutover\.proof/,
  },
  control: {
    undone: /update control\.undo set done_at/,
    routing: /update control\.wave set custody/,
    purged: /delete from control\.chunk/,
    close: /update control\.cutover set outcome/,
  },
};

const FAULT_OF: Record<Database, Fault> = {
  source: 'source killed',
  target: 'target killed',
  control: 'control killed',
};

/** Database servers killed inside their transactions and between a commit and its reply; and replies lost alone. */
export function servers(): Trial[] {
  return (['sent', 'committed'] as const).flatMap((when) =>
    [FORWARD, BACK].flatMap((all) => {
      const name = all === BACK ? `${when}-back` : when;
      const ambushed = DATABASES.map((database): Trial => ({
        name: `${database}-killed-${name}`,
        fault: FAULT_OF[database],
        ...people(all),
        play: (field) => underAmbush(field, all, [database], when, (way) => field.ground.restart(way)),
      }));
      const lost: Trial = {
        name: `reply-lost-${name}`,
        fault: 'reply of a database lost',
        ...people(all),
        play: (field) => underAmbush(field, all, DATABASES, when, () => Promise.resolve()),
      };
      return [...ambushed, lost];
    }),
  );
}

/** For a way back the people stop before the point of no return. */
const people = (all: Statements): Pick<Trial, 'options'> =>
  all === BACK ? { options: { script: { leave: ['accept'] } } } : {};

/** Every statement's connection is lost at its moment, once, and `strike` says what else. */
async function underAmbush(
  field: Field,
  all: Statements,
  databases: readonly Database[],
  when: Moment['when'],
  strike: (way: Database) => Promise<void>,
): Promise<'either' | 'rolled-back'> {
  if (all === BACK) await field.play(({ cutover }) => cutover?.gates.some(isOpenAccept) === true);
  const strikes: Promise<void>[] = [];
  const set = databases.flatMap((way) =>
    Object.entries(all[way]).map(([what, statement]) => ({
      what: `${way} ${what}`,
      ambush: field.ground.ways[way].ambush({ statement, when }, () => void strikes.push(strike(way))),
    })),
  );
  if (all === BACK) await field.askForRollback(null);
  await field.finish();
  await Promise.all(strikes);
  const missing = set.filter(({ ambush }) => !ambush.sprung).map(({ what }) => what);
  if (missing.length > 0) throw new NotHappened(`these statements were not met: ${missing.join(', ')}`);
  return all === BACK ? 'rolled-back' : 'either';
}

const isOpenAccept = (gate: { id: string; status: string }): boolean => gate.id === 'accept' && gate.status === 'open';
