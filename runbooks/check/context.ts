import type { Finding } from '../finding';
import type { FindingCode } from '../finding-codes';
import { stepId } from '../plan-timeline/phases';
import type { Conversion } from '../schema/conversion';
import type { Plan } from '../schema/plan';
import type { Runbook } from '../schema/runbook';
import type { Gate, Phase, Step } from '../schema/step';
import { placeOf, placeOfKey, type Path, type YamlSource } from '../yaml/source';

export const PARTS = ['before', 'perWave', 'after'] as const;
export type Part = (typeof PARTS)[number];

export interface StepAt {
  id: string;
  step: Step;
  phase: Phase;
  part: Part;
  /** Index of the phase in its part, and of the step in its phase. */
  phaseIndex: number;
  index: number;
  path: Path;
}

export interface GateAt {
  gate: Gate;
  phase: Phase;
  part: Part;
  phaseIndex: number;
  path: Path;
}

/** What a rule reads, and where it reports. A rule is a plain function over this. */
export interface CheckContext {
  runbook: Runbook;
  conversion: Conversion | null;
  plan: Plan | null;
  nowMs: number;
  steps: StepAt[];
  gates: GateAt[];
  sources: Record<Doc, YamlSource | undefined>;
  findings: Finding[];
}

export type Doc = 'runbook' | 'conversion' | 'plan';
export type Rule = (context: CheckContext) => void;

/** What a rule says of one place. */
export interface Remark {
  code: FindingCode;
  message: string;
  remedy: string;
  severity?: Finding['severity'];
  /** Point at the key instead of the value. */
  atKey?: boolean;
}

/** Adds a finding at `path` of a document; an absent path points at its nearest written ancestor. */
export function report(context: CheckContext, doc: Doc, path: Path, remark: Remark): void {
  const source = context.sources[doc];
  if (!source) return;
  const { atKey, severity = 'error', code, message, remedy } = remark;
  context.findings.push({ ...(atKey ? placeOfKey : placeOf)(source, path), code, message, remedy, severity });
}

export function listSteps(runbook: Runbook): StepAt[] {
  return PARTS.flatMap((part) =>
    runbook[part].flatMap((phase, phaseIndex) =>
      phase.steps.map((step, index) => ({
        id: stepId(step),
        step,
        phase,
        part,
        phaseIndex,
        index,
        path: [part, phaseIndex, 'steps', index],
      })),
    ),
  );
}

export function listGates(runbook: Runbook): GateAt[] {
  return PARTS.flatMap((part) =>
    runbook[part].flatMap((phase, phaseIndex) =>
      phase.gate ? [{ gate: phase.gate, phase, part, phaseIndex, path: [part, phaseIndex, 'gate'] }] : [],
    ),
  );
}

/** Position in time of a phase: `before` < `perWave` < `after`. */
export function phaseOrder(at: { part: Part; phaseIndex: number }): number {
  return PARTS.indexOf(at.part) * 1_000 + at.phaseIndex;
}
