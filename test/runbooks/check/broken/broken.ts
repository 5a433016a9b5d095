import type { FindingCode } from '../../../../runbooks/finding-codes';

/** One mistake in the tiny runbook: what is written instead, and what `check` must say of it. */
export interface Broken {
  name: string;
  doc?: 'runbook' | 'conversion' | 'plan';
  from: string;
  to: string;
  /** Exactly these codes, sorted by place. */
  codes: FindingCode[];
  /** The first finding stands on the first line of the edited document that holds this text. */
  line: string;
  /** Document of the first finding, when it is another one than the edited. */
  foundIn?: 'runbook' | 'conversion' | 'plan';
}
