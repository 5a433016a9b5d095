/** Every name that crosses a process boundary. */
export const QUEUES = {
  main: 'cutover',
  source: 'cutover-source',
  target: 'cutover-target',
  data: 'cutover-data',
  follow: 'cutover-follow',
  lease: 'cutover-lease',
} as const;
export type Queue = (typeof QUEUES)[keyof typeof QUEUES];

export const WORKFLOWS = { cutover: 'cutover', wave: 'wave', rollback: 'rollback', guardian: 'guardian' } as const;

/** `cutover/billing-oss/night-1`; ids are readable in the Temporal UI. */
export const cutoverWorkflowId = (runbook: string, cutover: string): string => `cutover/${runbook}/${cutover}`;
export const waveWorkflowId = (parent: string, wave: number): string => `${parent}/wave-${wave}`;
export const rollbackWorkflowId = (parent: string, wave: number | null): string =>
  wave === null ? `${parent}/rollback` : `${parent}/rollback-wave-${wave}`;

/** The cutover's id, the last part of its workflow id. */
export const cutoverIdOf = (workflowId: string): string => workflowId.split('/')[2] ?? workflowId;

/** What somebody who opens a run in the Temporal UI should know first (Markdown). */
export const STATIC_DETAILS =
  'The live step table is under *Current Details*. Everything is done by Updates and Signals, each described in its dialog. Steps of ' +
  '`before` and `after` belong to the cutover’s run, those of `perWave` to the wave’s. Never terminate a run; cancelling it asks for a rollback.';

export const GUARDIAN_SCHEDULE = 'cutover-guardian';

export const SEARCH_ATTRIBUTES = ['CutoverPhase', 'CutoverGate', 'CutoverStatus', 'CutoverWave'] as const;
