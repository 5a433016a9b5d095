import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { z } from 'zod';
import type { RunMessage } from '../engine/messages';
import type { RollbackState } from '../engine/run-rollback';
import type { RunView } from '../engine/view';
import type { MessageAnswer, RollbackRequest, WaveAmendment, WaveSummary } from '../engine/state';
import { instant } from '../runbooks/schema/plan';

const text = z.string().min(1).max(500);
const from = { person: text, id: text.optional() };
const decision = z.enum(['go', 'no-go']);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const at = z.union([z.number().int().positive(), instant.transform((value) => Date.parse(value))]);

/** What each message carries. Malformed input is refused by the validator; business refusals are answers. */
const MESSAGE_SCHEMAS = {
  castVote: z.strictObject({ ...from, gate: text, decision, reason: text.optional(), digest: text.optional() }),
  sayGo: z.strictObject({ ...from, step: text }),
  startTask: z.strictObject({ ...from, step: text }),
  blockTask: z.strictObject({ ...from, step: text, reason: text }),
  reassign: z.strictObject({ ...from, step: text, to: text, role: text.optional(), reason: text.optional() }),
  completeTask: z.strictObject({ ...from, step: text, note: text.optional() }),
  recordCheck: z.strictObject({ ...from, step: text, item: text, ok: z.boolean(), evidence: text.optional() }),
  retryStep: z.strictObject({ ...from, step: text }),
  skipStep: z.strictObject({ ...from, step: text, reason: text }),
  pause: z.strictObject({ ...from, reason: text }),
  resume: z.strictObject({ ...from }),
  requestRollback: z.strictObject({ ...from, reason: text }),
  reschedule: z.strictObject({ ...from, window: text, opensAt: at, closesAt: at }),
  amend: z.strictObject({ ...from, runbook: hash, plan: hash, reason: text.optional() }),
  raiseIncident: z.strictObject({ ...from, incident: text, severity: z.enum(['low', 'high']), title: text }),
  resolveIncident: z.strictObject({ ...from, incident: text }),
} as const;

export type UpdateName = keyof typeof MESSAGE_SCHEMAS;
export type UpdateInput<N extends UpdateName> = z.input<(typeof MESSAGE_SCHEMAS)[N]>;

const KIND_OF: Record<UpdateName, RunMessage['kind']> = {
  castVote: 'vote',
  sayGo: 'go',
  startTask: 'startTask',
  blockTask: 'blockTask',
  reassign: 'reassign',
  completeTask: 'completeTask',
  recordCheck: 'recordCheck',
  retryStep: 'retryStep',
  skipStep: 'skipStep',
  pause: 'pause',
  resume: 'resume',
  requestRollback: 'requestRollback',
  reschedule: 'reschedule',
  amend: 'amend',
  raiseIncident: 'raiseIncident',
  resolveIncident: 'resolveIncident',
};

export const MESSAGE_DESCRIPTIONS: Record<UpdateName, string> = {
  castVote: 'Vote go or no-go at a gate: {"person","gate","decision":"go"|"no-go","reason"?,"digest"?}',
  sayGo: 'Say go for a step that waits for it: {"person","step"}',
  startTask: 'Say that you are on a task or checklist: {"person","step"}',
  blockTask: 'Say what keeps a task or checklist from being done: {"person","step","reason"}',
  reassign: 'Give a step to somebody who holds its role: {"person","step","to","role"?,"reason"?}',
  completeTask: 'Sign a task: {"person","step"}',
  recordCheck: 'Record a checklist item: {"person","step","item","ok","evidence"?}',
  retryStep: 'Try a failed step again: {"person","step"}',
  skipStep: 'Skip a step the switch does not rest on: {"person","step","reason"}',
  pause: 'Start no new step: {"person","reason"}',
  resume: 'Go on: {"person"}',
  requestRollback: 'Go back to the source: {"person","reason"}',
  reschedule: 'Move a window; two own people ask for the same: {"person","window","opensAt","closesAt"}',
  amend:
    'Go on with other documents, by hash; two own people say the same (`cutover amend` stores them): {"person","runbook","plan","reason"?}',
  raiseIncident: 'Raise an incident: {"person","incident","severity":"low"|"high","title"}',
  resolveIncident: 'Resolve an incident: {"person","incident"}',
};

/** The engine's message of a checked input. Throws a ZodError naming the field when it is malformed. */
export function parseMessage(name: UpdateName, input: unknown): RunMessage {
  return { kind: KIND_OF[name], ...MESSAGE_SCHEMAS[name].parse(input) } as RunMessage;
}

export const updates = Object.fromEntries(
  Object.keys(MESSAGE_SCHEMAS).map((name) => [name, defineUpdate<MessageAnswer, [unknown]>(name)]),
) as Record<UpdateName, ReturnType<typeof defineUpdate<MessageAnswer, [unknown]>>>;

/** For those who only have a signal. A refused one shows in `status`, at the gate and in the ledger. */
export const SIGNALS = {
  goNoGo: 'castVote',
  pauseRun: 'pause',
  resumeRun: 'resume',
  rollback: 'requestRollback',
} as const satisfies Record<string, UpdateName>;

export const waveReport = defineSignal<[WaveSummary]>('waveReport');
export const stopWave = defineSignal<[RollbackRequest]>('stopWave');
/** Asks a wave about an amendment, or tells it to adopt or to drop it. */
export const amendWave = defineSignal<[WaveAmendment]>('amendWave');
/** The wave of this number has no run any more, and reported no end. */
/** The wave whose run died, and when (ms since 1970; a guardian of an earlier build does not say). */
export const waveLost = defineSignal<[number, number?]>('waveLost');
export const retryRollback = defineSignal<[{ person: string }]>('retryRollback');

export const statusQuery = defineQuery<RunView | null>('status');
export const timelineQuery = defineQuery<RunView['steps']>('timeline');
export const gatesQuery = defineQuery<RunView['gates']>('gates');
export const runbookQuery = defineQuery<{
  runbookHash: string;
  planHash: string;
  runbook: string;
  version: number;
} | null>('runbook');

export const rollbackQuery = defineQuery<RollbackState>('status');
