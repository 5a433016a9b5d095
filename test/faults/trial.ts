import type { FieldOptions } from './field';
import type { Field } from './field';
import type { Ending } from './audit';

/** What is done to the system; the rows of the table at the end. */
export const FAULTS = [
  'worker killed',
  'worker killed twice in a row',
  'worker killed in the rollback of a killed step',
  'worker killed while a cutover is amended',
  'source killed',
  'target killed',
  'control killed',
  'Temporal killed',
  'reply of a database lost',
  'way cut',
  'way stalled',
  'worker stopped, then woken',
  'worker stopped, woken after a rollback',
] as const;
export type Fault = (typeof FAULTS)[number];

/** One night under one kind of fault. */
export interface Trial {
  /** For `--only`. */
  name: string;
  fault: Fault;
  /** Belongs to the short selection of every test run. */
  short?: boolean;
  options?: FieldOptions;
  /** Does the fault and plays the night to its end. `either`: going back is as good an answer to this fault as going on. */
  play: (field: Field) => Promise<Ending | 'either'>;
}
