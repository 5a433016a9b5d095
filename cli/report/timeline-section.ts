import { timelineChart, type ChartRow } from './chart';
import { duration } from './format';
import { html, table, type Markup } from './markup';
import type { JsonGate, JsonStep, ReportJson, Span } from './report-json';
import { state } from './sections';

/** Planned against actual: a picture for each phase, and the same as a table. */
export function timeline(report: ReportJson, at: (time: string | null) => string): Markup {
  const phases = [...new Map(report.steps.map((step) => [`${step.wave ?? ''}/${step.phase}`, step])).values()];
  const rows = report.steps.map((step) => [
    step.title,
    `${step.wave === null ? '' : `${step.wave} · `}${step.phase}`,
    step.owner,
    state(step.status),
    at(step.planned.start),
    duration(step.planned.seconds),
    at(step.actual.start),
    duration(step.actual.seconds),
    [
      step.go ? `go: ${step.go.person} ` : null,
      ...step.signed.map((mark) => `${mark.role}: ${mark.person} `),
      step.problem,
    ],
  ]);
  return html`<section>
    <h2>Planned against actual</h2>
    <p class="key">
      <i class="planned"></i>planned <i></i>actual <i class="failed"></i>failed or refused. Each picture starts with its
      first step.
    </p>
    ${forecast(report)} ${phases.map((phase) => figure(report, phase))}
    <details>
      <summary>All steps as a table</summary>
      ${table('Steps', ['Step', 'Phase', 'Owner', 'State', 'Planned start', 'Planned', 'Started', 'Took', 'Who'], rows, 'No step was planned.')}
    </details>
  </section>`;
}

function forecast({ forecast: { plannedSeconds, actualSeconds, error, frozen } }: ReportJson): Markup | null {
  if (error === null) return null;
  const waves = frozen.map(
    (each) =>
      `; frozen in ${each.wave}: ${duration(each.plannedSeconds)} planned, ${duration(each.actualSeconds)} taken`,
  );
  return html`<p>
    Work of machines: ${duration(plannedSeconds)} planned, ${duration(actualSeconds)} taken, step by step
    ${Math.round(error * 100)} % off${waves}.
  </p>`;
}

function figure(report: ReportJson, phase: JsonStep): Markup | null {
  const belongs = (each: { wave: string | null; phase: string }): boolean =>
    each.wave === phase.wave && each.phase === phase.phase;
  // A window step only waits for the calendar; its length would hide every other.
  const steps = report.steps.filter((step) => belongs(step) && step.kind !== 'window');
  const rows: ChartRow[] = [
    ...steps.map((step) => ({
      label: step.title,
      status: step.status,
      planned: step.planned,
      actual: sofar(step.actual, report),
    })),
    ...report.gates.filter(belongs).map((gate) => gateRow(gate, report)),
  ];
  if (rows.length === 0) return null;
  const title = `${phase.wave === null ? '' : `${phase.wave} · `}${phase.phase}`;
  const told = rows.map(
    (row) => `${row.label}: planned ${duration(row.planned.seconds)}, took ${duration(row.actual.seconds)}`,
  );
  return html`<figure>
    <figcaption>${title}</figcaption>
    ${timelineChart(rows, `Phase ${title}. ${told.join('; ')}.`)}
  </figure>`;
}

function gateRow(gate: JsonGate, report: ReportJson): ChartRow {
  const seconds =
    gate.openedAt && gate.decidedAt ? (Date.parse(gate.decidedAt) - Date.parse(gate.openedAt)) / 1_000 : null;
  const actual = sofar({ start: gate.openedAt, end: gate.decidedAt, seconds }, report);
  return { label: `Gate ${gate.id}`, status: gate.status, planned: gate.planned, actual };
}

/** A step that still runs is drawn up to the moment of the report. */
function sofar(span: Span, report: ReportJson): Span {
  if (span.start === null || span.end !== null || report.madeAt === null) return span;
  const end = report.endedAt ?? report.madeAt;
  return { start: span.start, end, seconds: (Date.parse(end) - Date.parse(span.start)) / 1_000 };
}
