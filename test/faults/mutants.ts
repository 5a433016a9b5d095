import type { Mutant } from '../support/mutants';
import { MUTANTS as RULES } from '../protocol/mutants';
import type { PromiseId } from './promises';

const FAULTS = 'test/faults/main.js';
const PROTOCOL = 'test/protocol/main.js';
const SIMULATE = 'test/simulate/main.js';

export interface Broken extends Mutant {
  promise: PromiseId | 'HOURS';
  /** The harness that catches it in its normal run, and the part of that run that is enough. */
  program: string;
  args: readonly string[];
}

const night = (...only: string[]): { program: string; args: string[] } => ({
  program: FAULTS,
  args: ['--stacks', '1', ...only.flatMap((name) => ['--only', name])],
});
const writers = { program: PROTOCOL, args: ['--seconds', '60', '--until-broken'] };
const seeds = { program: SIMULATE, args: ['--seeds', '2000'] };

/** One line of the product broken for each promise: every one of them must be seen. */
export const MUTANTS: Record<string, Broken> = {
  'owner-sealed-accepts': {
    promise: 'OWNER',
    file: 'systems/postgres/sql/guarding.js',
    text: "if row_state = 'open' or (row_state = 'frozen' and lease <= clock_timestamp()) then",
    instead: "if row_state <> 'frozen' or lease <= clock_timestamp() then",
    ...night('kill-short-forward'),
  },
  'still-old-snapshot-accepted': { promise: 'STILL', ...RULES['1'], ...writers },
  'conserve-foreign-row-deleted': { promise: 'CONSERVE', ...RULES['7'], ...writers },
  'content-unapplied-sealed': { promise: 'CONTENT', ...RULES['8'], ...writers },
  'work-key-without-effect': {
    promise: 'WORK',
    file: 'systems/postgres/requests.js',
    text: 'await client.query(typed(request.sql), [request.payload, request.customer]);',
    instead: '',
    ...night('kill-short-forward'),
  },
  'once-action-key-ignored': {
    promise: 'ONCE',
    file: 'systems/postgres/action.js',
    text: "return 'already';",
    instead: 'void 0;',
    ...night('reply-lost-committed'),
  },
  'gate-starter-votes': {
    promise: 'GATE',
    file: 'engine/messages/votes.js',
    text: 'if (message.person === state.startedBy)',
    instead: 'if (false)',
    ...seeds,
  },
  'gate-one-approval-amends': {
    promise: 'GATE',
    file: 'engine/messages/amendments.js',
    text: 'const missing = APPROVALS - amendment.approvedBy.length;',
    instead: 'const missing = 1 - amendment.approvedBy.length;',
    ...seeds,
  },
  'back-jobs-stay-stopped': {
    promise: 'BACK',
    file: 'activities/actions.js',
    text: "direction === 'do' ? step.do : step.undo",
    instead: 'step.do',
    ...night('kill-short-back'),
  },
  'hours-no-time-to-back-out': {
    promise: 'HOURS',
    file: 'domain/window.js',
    text: 'nowMs + neededMs <= opening.closesAt',
    instead: 'nowMs <= opening.closesAt',
    ...seeds,
  },
  'private-names-in-histories': {
    promise: 'PRIVATE',
    file: 'activities/runs.js',
    text: 'name: person.id',
    instead: 'name: person.name',
    ...night('kill-short-forward'),
  },
  'audit-unchained': {
    promise: 'AUDIT',
    file: 'systems/control/ledger.js',
    text: 'let head = locked.rows[0]?.hash ?? exports.GENESIS;',
    instead: 'let head = exports.GENESIS;',
    ...night('kill-short-forward'),
  },
};
