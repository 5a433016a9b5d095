import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const TINY = join('test', 'runbooks', 'tiny');
export const START = ['start', join(TINY, 'runbook.yaml'), '--plan', join(TINY, 'plan.yaml')];
export const NOWHERE = '127.0.0.1:1';

/** What is wrong, the arguments, the exit code, and what a person reads. */
export const ARGUMENTS: readonly [string, string[], number, RegExp][] = [
  [
    'a lead nobody knows',
    [...START, '--id', 'n1', '--as', 'eve'],
    2,
    /nobody in the plan is called "eve"\n→ people: ada, ben, cas/,
  ],
  [
    'an id that is a path',
    [...START, '--id', '../../n1', '--as', 'ada'],
    2,
    /is no id\n→ letters, digits and dashes.*63 at most/,
  ],
  [
    'an id of 3000 letters',
    [...START, '--id', 'x'.repeat(3_000), '--as', 'ada'],
    2,
    /^--id "x{80}" is no id\n→ .*63 at most/,
  ],
  ['no id', [...START, '--as', 'ada'], 2, /required option '--id <id>' not specified/],
  ['a decision that is none', ['vote', 'n1', 'final', 'maybe', '--as', 'ada'], 2, /Allowed choices are go, no-go/],
  ['a vote of nobody', ['vote', 'n1', 'final', 'go'], 2, /required option '--as <person>' not specified/],
  ['a wave that is none', ['go', 'n1', 'freeze', '--as', 'ada', '--wave', '-1'], 2, /a wave is a number from 1 on/],
  [
    'an opening that is no instant',
    ['reschedule', 'n1', 'night', '--opens', 'tomorrow', '--closes', 'later', '--as', 'a'],
    2,
    /an instant with its offset, such as/,
  ],
  ['a verb there is not', ['freeze', 'n1'], 2, /unknown command 'freeze'/],
  ['a folder for a runbook', ['check', tmpdir()], 2, /cannot be read \(EISDIR\)\n→ give the path of a YAML file/],
  ['a file there is not', ['check', 'no/such/runbook.yaml'], 2, /no\/such\/runbook\.yaml cannot be read \(ENOENT\)/],
  ['a file inside a file', ['check', join(TINY, 'plan.yaml', 'runbook.yaml')], 2, /cannot be read \(ENOTDIR\)/],
  ['a name longer than a file system takes', ['check', 'x'.repeat(5_000)], 2, /cannot be read \(ENAMETOOLONG\)/],
  [
    'a folder for a plan',
    [...START.slice(0, 2), '--plan', tmpdir(), '--id', 'n1', '--as', 'ada'],
    2,
    /cannot be read \(EISDIR\)/,
  ],
  ['no plan', [...START.slice(0, 2), '--id', 'n1', '--as', 'ada'], 2, /required option '--plan <file>' not specified/],
  ['an option there is not', [...START, '--id', 'n1', '--as', 'ada', '--force'], 2, /unknown option '--force'/],
  ['a form of output there is not', ['check', join(TINY, 'runbook.yaml'), '--output', 'xml'], 2, /Allowed choices are/],
];

export const PLANS: readonly [string, (plan: string) => string, RegExp][] = [
  [
    'a role nobody holds',
    (plan) => plan.replace('roles: [owner]', 'roles: [ops]'),
    /plan\.yaml:\d+:\d+: .*owner.*; .*\[/,
  ],
  ['a role there is not', (plan) => plan.replace('roles: [owner]', 'roles: [owner, king]'), /plan\.yaml:7:\d+: .*king/],
  ['the same person twice', (plan) => plan.replace('id: cas', 'id: ben'), /plan\.yaml:8:\d+: .*ben/],
  [
    'another runbook’s plan',
    (plan) => plan.replace('runbook: tiny', 'runbook: large'),
    /plan\.yaml:2:\d+: .*(large|tiny)/,
  ],
  ['no waves', (plan) => plan.replace('  - { id: all }', '  []'), /plan\.yaml:\d+:\d+: /],
  ['a pace of nothing', (plan) => plan.replace('pace: 1000', 'pace: 0'), /plan\.yaml:4:\d+: .*pace/],
];

export const ENVIRONMENTS: readonly [string, Record<string, string>, string[], number, RegExp][] = [
  [
    'no Temporal there',
    { TEMPORAL_ADDRESS: NOWHERE },
    ['status', 'n1'],
    4,
    /no Temporal server answers at 127\.0\.0\.1:1.*\n→ start one/,
  ],
  ['an address that is none', { TEMPORAL_ADDRESS: 'not an address' }, ['status', 'n1'], 4, /answers at not an address/],
  [
    'a certificate there is not',
    { TEMPORAL_ADDRESS: NOWHERE, TEMPORAL_TLS_CLIENT_CERT_PATH: '/no/such' },
    ['status', 'n1'],
    2,
    /the settings for Temporal cannot be read: .*\/no\/such.*\n→ mend TEMPORAL_PROFILE, the TEMPORAL_TLS_\*/,
  ],
  [
    'a profile there is not',
    { TEMPORAL_PROFILE: 'moon' },
    ['status', 'n1'],
    2,
    /cannot be read: .*moon.*\n→ mend TEMPORAL_PROFILE/,
  ],
  ['no control database named', {}, ['list'], 4, /CONTROL_URL is not set\n→ set it to the URL/],
  [
    'a control database nobody listens at',
    { CONTROL_URL: 'postgres://a@127.0.0.1:1/x' },
    ['list'],
    4,
    /does not answer: .*127\.0\.0\.1:1\n→ start it, or mend CONTROL_URL/,
  ],
  [
    'a text that is no URL',
    { CONTROL_URL: 'control' },
    ['list'],
    2,
    /CONTROL_URL is not a PostgreSQL URL\n→ write it as postgres:\/\//,
  ],
  [
    'another kind of database',
    { CONTROL_URL: 'mysql://root:secret@h/x' },
    ['list'],
    2,
    /CONTROL_URL is not a PostgreSQL URL/,
  ],
];

/** Whole files that are no runbook, and where `check` says so. */
export const FILES: readonly [string, Buffer, RegExp][] = [
  ['nothing', Buffer.alloc(0), /:1:1: there is nothing in the document/],
  ['ten megabytes', Buffer.alloc(10_000_000, 'a: b\n'), /:1:1: larger than 1 MiB/],
  [
    'Latin-1',
    Buffer.from('runbook: tiny\ntitle: Umz\xfcge\n', 'latin1'),
    /:2:11: bytes that are no UTF-8; save the file as UTF-8/,
  ],
  ['UTF-16', Buffer.from('runbook: tiny\n', 'utf16le'), /:1:2: a control character/],
  ['brackets without end', Buffer.from(`a: ${'['.repeat(100_000)}`), /:1:104: brackets or lists more than 100 deep/],
  ['JSON of a million levels', Buffer.from(`{"a":${'{"a":'.repeat(100_000)}`), /brackets or lists more than 100 deep/],
  ['a comma list', Buffer.from('runbook,version\ntiny,1\n'), /:1:1: the document: expected a map/],
];

/** The worker's and the gateway's environment: which process, what is set, and the line that names the variable. */
export const PROCESSES: readonly [string, 'workers' | 'gateway', Record<string, string>, RegExp][] = [
  ['no control database', 'workers', {}, /CONTROL_URL is not set; set it to the URL of the control database/],
  [
    'a URL of another kind',
    'workers',
    { CONTROL_URL: 'mysql://root:secret@h/x' },
    /CONTROL_URL is not a PostgreSQL URL; write it as/,
  ],
  [
    'a level there is not',
    'workers',
    { CUTOVER_LOG_LEVEL: 'loud' },
    /CUTOVER_LOG_LEVEL is not a level; write one of trace, debug/,
  ],
  [
    'a port that is a word',
    'workers',
    { CUTOVER_METRICS_PORT: 'http' },
    /CUTOVER_METRICS_PORT is not a port; write a number from 1/,
  ],
  ['a port beyond the last', 'workers', { CUTOVER_METRICS_PORT: '99999' }, /CUTOVER_METRICS_PORT is not a port/],
  [
    'a queue there is not',
    'workers',
    { CUTOVER_QUEUES: 'cutover,kutover' },
    /CUTOVER_QUEUES names a queue there is not; queues: cutover,/,
  ],
  [
    'a webhook that is a file',
    'workers',
    { CUTOVER_WEBHOOK_URL: 'file:///etc/passwd' },
    /CUTOVER_WEBHOOK_URL is not a URL; write https/,
  ],
  [
    'no Temporal',
    'workers',
    { TEMPORAL_ADDRESS: NOWHERE, CONTROL_URL: 'postgres://a@127.0.0.1:1/x' },
    /127\.0\.0\.1:1/,
  ],
  ['no cutover to serve', 'gateway', {}, /CUTOVER is missing; set it to the id of the cutover/],
  ['a port that is a word', 'gateway', { PORT: 'http' }, /PORT must be a port number, 0 to 65535/],
  ['a port beyond the last', 'gateway', { PORT: '70000' }, /PORT must be a port number/],
  [
    'a timeout of nothing',
    'gateway',
    { FORWARD_TIMEOUT_MS: '0' },
    /FORWARD_TIMEOUT_MS must be a number of milliseconds, 100 or more/,
  ],
  [
    'a source of another kind',
    'gateway',
    { SOURCE_URL: 'http://root:secret@h' },
    /SOURCE_URL must be a PostgreSQL URL/,
  ],
];
