import type { RunShown, StatusShown } from '../../cli/run-status';
import type { UpdateInput, UpdateName } from '../../workflows/messages';
import type { TrafficStatus } from './cast';

/** What the demo asks of its traffic before the lead goes on (DESIGN §11). */
export const AT_LEAST = { perSecond: 50, eachKind: 20, held: 200, targetWrites: 500, bornAtTarget: 10 } as const;

export type Send = <N extends UpdateName>(workflowId: string, name: N, input: UpdateInput<N>) => Promise<void>;

export interface LeadOptions {
  person: string;
  role: string;
  rollbackAt: string | null;
  /** Whether the target has taken enough writes for a rollback that proves something. */
  enoughAtTarget: () => Promise<boolean>;
  send: Send;
  say: (line: string) => void;
}

/**
 * The lead of the demo: does what the runbook asks the lead to do, but says go for the freeze only when every kind of operation
 * was seen before it, and for the switch only when enough was seen while customers moved.
 */
export class Lead {
  private readonly done = new Set<string>();
  private waited = '';
  private lastWave = 0;

  constructor(private readonly options: LeadOptions) {}

  /** One look at the run; acts where it is the lead's turn. */
  async look(status: StatusShown, traffic: TrafficStatus | null): Promise<void> {
    this.lastWave = status.waves.length;
    for (const run of status.runs) {
      await this.askForRollback(run);
      for (const step of run.steps) await this.act(run, step, traffic);
    }
  }

  private async act(run: RunShown, step: RunShown['steps'][number], traffic: TrafficStatus | null): Promise<void> {
    const { person, role, send } = this.options;
    const key = `${run.workflowId} ${step.id}`;
    if (step.status === 'waiting-go' && step.goRole === role && this.ready(step, run, traffic)) {
      await this.once(`${key} go`, () => send(run.workflowId, 'sayGo', { person, step: step.id }));
    }
    if (step.status !== 'waiting-people') return;
    if (step.kind === 'checklist' && step.owner === role) {
      for (const item of step.items.filter((candidate) => !step.checks[candidate])) {
        await this.once(`${key} ${item}`, () =>
          send(run.workflowId, 'recordCheck', { person, step: step.id, item, ok: true, evidence: 'seen' }),
        );
      }
    }
    if (step.kind === 'task' && step.signedBy.includes(role) && !step.signed[role] && this.ready(step, run, traffic)) {
      await this.once(`${key} task`, () => send(run.workflowId, 'completeTask', { person, step: step.id }));
    }
  }

  /** Nothing is rushed past what the demo has to show. Customers are won and lost in the last wave only. */
  private ready(step: RunShown['steps'][number], run: RunShown, traffic: TrafficStatus | null): boolean {
    if (!traffic) return true;
    const { fewest, held } = traffic;
    const enough = ((): boolean => {
      if (step.kind === 'freeze') return fewest.source >= AT_LEAST.eachKind;
      if (step.kind === 'switch' && run.wave !== this.lastWave) return held >= AT_LEAST.held / 4;
      if (step.kind === 'switch') return fewest.moving >= AT_LEAST.eachKind && held >= AT_LEAST.held;
      return step.phase !== 'close' || fewest.target >= AT_LEAST.eachKind;
    })();
    if (!enough && this.waited !== step.id) {
      const seen = `source ${fewest.source}, moving ${fewest.moving}, target ${fewest.target}`;
      this.options.say(`the lead waits with ${step.id}; fewest of a kind so far: ${seen}; ${held} held`);
    }
    this.waited = enough ? '' : step.id;
    return enough;
  }

  private async askForRollback(run: RunShown): Promise<void> {
    const { rollbackAt, person, send } = this.options;
    const step = run.steps.find((candidate) => candidate.id === rollbackAt);
    if (
      !step ||
      rollbackAt === null ||
      ['pending', 'waiting-window'].includes(step.status) ||
      this.done.has('rollback')
    )
      return;
    if (run.wave === null && step.kind === 'hypercare' && !(await this.options.enoughAtTarget())) return;
    await this.once('rollback', () =>
      send(run.workflowId, 'requestRollback', { person, reason: `the demo was asked to roll back at ${rollbackAt}` }),
    );
    this.options.say(`rollback asked for at ${rollbackAt}`);
  }

  private async once(key: string, body: () => Promise<void>): Promise<void> {
    if (this.done.has(key)) return;
    this.done.add(key);
    await body();
  }
}
