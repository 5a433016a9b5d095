/** The promises this harness judges after each night. HOURS is the simulator's: nothing here keeps to a clock. */
export const PROMISES = [
  'OWNER',
  'CONSERVE',
  'CONTENT',
  'STILL',
  'WORK',
  'ONCE',
  'GATE',
  'BACK',
  'PRIVATE',
  'AUDIT',
  'LIVE',
] as const;
export type PromiseId = (typeof PROMISES)[number];

/** Each promise that was looked at, with what is wrong; empty when it held. */
export type Judgement = Partial<Record<PromiseId, string[]>>;

export function judge(judgement: Judgement, promise: PromiseId, findings: readonly string[]): void {
  (judgement[promise] ??= []).push(...findings);
}
