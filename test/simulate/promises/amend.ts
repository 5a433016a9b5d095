import type { RunMessage } from '../../../engine/messages';
import type { ResolvedRun } from '../../../runbooks/resolved';
import type { Run } from '../runs';
import type { World } from '../world/world';
import type { Say } from './broken';

const OWN = ['lena', 'sven', 'olga', 'otto', 'cara'];

/** What a cutover goes by is changed by two own people, never under a step that has started or a vote that counts. */
export class AmendPromises {
  /** `runbook|person` of what was asked for. */
  private readonly asked = new Set<string>();
  private readonly goesBy = new Map<Run, { hash: string; at: number }>();
  /** Each run has its own: one that is started again after it was terminated begins anew. */
  private readonly started = new WeakMap<Run, Map<string, string>>();
  private last = 'r';

  constructor(
    private readonly world: World,
    private readonly documents: ReadonlyMap<string, ResolvedRun>,
    private readonly say: Say,
  ) {}

  accepted(message: RunMessage): void {
    if (message.kind === 'amend') this.asked.add(`${message.runbook}|${message.person}`);
  }

  published(run: Run): void {
    const hash = run.context.run.runbookHash;
    const before = this.goesBy.get(run);
    if (before && before.hash !== hash && run.wave === null) this.amended(hash);
    if (before?.hash !== hash) this.goesBy.set(run, { hash, at: this.world.clock.now });
    this.steps(run, hash);
    for (const gate of Object.values(run.context.state.gates)) {
      const standing = gate.votes.filter((vote) => vote.voided === null);
      const since = before && before.hash !== hash ? this.world.clock.now : 0;
      if (gate.status === 'open' && standing.some((vote) => vote.at < since))
        this.say('GATE', `a vote at ${gate.id} of ${run.wave ?? 'the cutover'} outlived an amendment`);
    }
  }

  private amended(hash: string): void {
    this.last = hash;
    this.world.happened('run/amended');
    const approved = OWN.filter((person) => this.asked.has(`${hash}|${person}`));
    if (approved.length < 2) this.say('GATE', `${hash} was adopted with the approval of ${approved.join(', ')}`);
    if (this.world.control.amended.runbookHash !== hash)
      this.say('ONCE', `the run goes by ${hash}, its activities by ${this.world.control.amended.runbookHash}`);
  }

  /** As it was when it started, in words of the true documents. */
  private steps(run: Run, hash: string): void {
    const { before = [], perWave = [], after = [] } = this.documents.get(hash)?.runbook ?? {};
    const definitions = [...before, ...perWave, ...after].flatMap((phase) =>
      phase.steps.map((step) => [step.id ?? step.kind, JSON.stringify([phase.phase, step])] as const),
    );
    const now = new Map(definitions);
    const where = run.wave ?? 'the cutover';
    const started = this.started.get(run) ?? new Map<string, string>();
    this.started.set(run, started);
    for (const step of Object.values(run.context.state.steps)) {
      if (step.startedAt === null) continue;
      const text = now.get(step.id) ?? 'gone';
      const first = started.get(step.id) ?? text;
      started.set(step.id, first);
      if (first !== text) this.say('AUDIT', `step ${step.id} of ${where} changed after it had started`);
    }
    for (const id of started.keys())
      if (!run.context.state.steps[id]) this.say('AUDIT', `step ${id} of ${where} was left out after it had started`);
  }

  /** In the end the activities read what the run was told. */
  judge(outcome: string | null): void {
    if (outcome !== null && this.world.control.amended.runbookHash !== this.last)
      this.say('ONCE', `control ended with ${this.world.control.amended.runbookHash}, the run with ${this.last}`);
  }
}
