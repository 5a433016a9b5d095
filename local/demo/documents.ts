import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, type Document } from 'yaml';
import { projectDir } from '../paths';

/** How long after the start the demo's window opens, and how long its hypercare lasts at least. */
const OPENS_AFTER_MS = 25_000;
const WINDOW_LASTS = 'PT6H';
const HYPERCARE = 'PT15S';
const DRAIN_AT_MOST = 'PT30S';
/** Who votes here starts a process for it: at the pace of a rehearsal the runbook's fifteen minutes would be fifteen seconds. */
const DEADLINE = 'PT45M';

export interface DemoDocuments {
  runbook: string;
  plan: string;
  opensAt: Date;
}

/**
 * The shipped runbook with a night that opens soon and a hypercare of seconds; everything else stays as it is. Written to
 * `dir`, so that `cutover start` reads it like any other. With a pace its plan is that of a rehearsal.
 */
export function writeDocuments(dir: string, now: Date, pace?: number): DemoDocuments {
  const shipped = join(projectDir(), 'runbooks', 'billing-oss');
  mkdirSync(dir, { recursive: true });
  cpSync(join(shipped, 'conversion.yaml'), join(dir, 'conversion.yaml'));
  const opensAt = new Date(Math.ceil((now.getTime() + OPENS_AFTER_MS) / 1_000) * 1_000);
  const runbook = edit(join(shipped, 'runbook.yaml'), join(dir, 'runbook.yaml'), (document) => {
    setInStep(document, 'after', 'hypercare', 'atLeast', HYPERCARE);
    setInStep(document, 'perWave', 'drain', 'atMost', DRAIN_AT_MOST);
    for (const [phase, { gate }] of (document.toJS() as { perWave: Phases[] }).perWave.entries())
      if (gate?.deadline !== undefined) document.setIn(['perWave', phase, 'gate', 'deadline'], DEADLINE);
  });
  const plan = edit(join(shipped, 'plan.yaml'), join(dir, 'plan.yaml'), (document) => {
    document.set('plan', 'demo');
    if (pace !== undefined) document.set('mode', 'rehearsal');
    if (pace !== undefined) document.set('pace', pace);
    document.setIn(
      ['windows', 'night'],
      document.createNode([{ opensAt: opensAt.toISOString(), lasts: WINDOW_LASTS }]),
    );
  });
  return { runbook, plan, opensAt };
}

function edit(from: string, to: string, change: (document: Document) => void): string {
  const document = parseDocument(readFileSync(from, 'utf8'));
  change(document);
  writeFileSync(to, document.toString());
  return to;
}

interface Phases {
  steps: { kind: string; id?: string }[];
  gate?: { id: string; onNoGo: string; deadline?: string };
}

/** Throws when the demo is asked for a no-go or a rollback at something the runbook does not have, or that would only wait. */
export function refuseUnknown({ noGo, rollback }: { noGo: string | null; rollback: string | null }): void {
  const runbook = parseDocument(readFileSync(join(projectDir(), 'runbooks', 'billing-oss', 'runbook.yaml'), 'utf8'));
  const parts = runbook.toJS() as Record<'before' | 'perWave' | 'after', Phases[]> & { pointOfNoReturn: string };
  const phases = [...parts.before, ...parts.perWave, ...parts.after];
  const backing = phases.flatMap(({ gate }) => (gate && gate.onNoGo !== 'hold' ? [gate.id] : []));
  if (noGo !== null && !backing.includes(noGo)) {
    throw new Error(
      `--no-go ${noGo}: a no-go leads back at these gates only: ${backing.join(', ')}; others hold and wait for new votes`,
    );
  }
  const last = parts.after.findIndex(({ gate }) => gate?.id === parts.pointOfNoReturn);
  const steps = [...parts.before, ...parts.perWave, ...parts.after.slice(0, last + 1)].flatMap((phase) =>
    phase.steps.map((step) => step.id ?? step.kind),
  );
  if (rollback !== null && !steps.includes(rollback)) {
    throw new Error(`--rollback ${rollback}: no such step before the point of no return; steps: ${steps.join(', ')}`);
  }
}

function setInStep(document: Document, part: 'perWave' | 'after', kind: string, key: string, value: string): void {
  const phases = (document.toJS() as Record<string, Phases[]>)[part] ?? [];
  for (const [phase, { steps }] of phases.entries()) {
    const step = steps.findIndex((candidate) => candidate.kind === kind);
    if (step >= 0) return document.setIn([part, phase, 'steps', step, key], value);
  }
  throw new Error(`the runbook has no ${kind} step in ${part}`);
}
