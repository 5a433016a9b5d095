import { clock, count, duration } from './format';
import { html, Markup } from './markup';
import type { ReportJson } from './report-json';
import { amendments, audit, census, gates, people, success, verification, waves, work } from './sections';
import { STYLE } from './style';
import { timeline } from './timeline-section';
import { sum } from './verdict';

const OUTCOMES = {
  live: 'Live',
  'rolled-back': 'Rolled back',
  aborted: 'Aborted',
} as const;

/** One self-contained page: no script, no address outside itself. Times are shown in the runbook's time zone. */
export function renderReport(report: ReportJson): string {
  const at = clock(report.runbook.timeZone);
  const page = html`${new Markup('<!doctype html>')}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <title>${report.cutover}: ${report.runbook.title}</title>
        ${STYLE}
      </head>
      <body>
        <header>
          <h1>${report.runbook.title}</h1>
          <p class="soft">
            Cutover ${report.cutover}, runbook ${report.runbook.id} version ${report.runbook.version}, plan
            ${report.plan.id}${rehearsal(report)}. Started ${at(report.startedAt)} by ${report.startedBy}, ended
            ${at(report.endedAt)} (${report.runbook.timeZone}).
          </p>
        </header>
        <main>
          ${verdict(report, at)}${figures(report)}
          ${census(report)}${success(report)}${timeline(report, at)}${gates(report, at)}${waves(report)}${verification(report)}${work(report)}${people(report, at)}${amendments(report, at)}${audit(report)}
        </main>
        <footer><p class="soft">Made ${at(report.madeAt)}.</p></footer>
      </body>
    </html> `;
  return page.text;
}

function rehearsal(report: ReportJson): string {
  return report.plan.mode === 'rehearsal' ? ` (a rehearsal, pace ${report.plan.pace})` : '';
}

function verdict(report: ReportJson, at: (time: string | null) => string): Markup {
  const { ok, problems } = report.verdict;
  const outcome = report.outcome === null ? 'Still running' : OUTCOMES[report.outcome];
  const { rollback } = report;
  return html`<section class="verdict ${ok ? 'kept' : 'broken'}" aria-label="Verdict">
    <strong>${outcome}</strong> –
    ${ok ? 'every promise that a report can see was kept.' : `${problems.length === 1 ? 'one thing is' : `${problems.length} things are`} not as promised:`}
    ${
      ok
        ? null
        : html`<ul>
            ${problems.map((problem) => html`<li>${problem}</li>`)}
          </ul>`
    }
    ${rollback ? html`<p>Rollback asked for by ${rollback.by} at ${at(rollback.at)}: ${rollback.reason}</p>` : null}
  </section>`;
}

function figures(report: ReportJson): Markup {
  const total = (wave: ReportJson['waves'][number]): number =>
    (wave.downtimeSeconds.machine ?? 0) + (wave.downtimeSeconds.people ?? 0);
  const longest = report.waves.length === 0 ? null : Math.max(...report.waves.map(total));
  const votes = sum(report.gates, (gate) => gate.votes.length);
  const figure = (name: string, value: string): Markup =>
    html`<div>
      <dt>${name}</dt>
      <dd>${value}</dd>
    </div>`;
  return html`<dl class="figures">
    ${figure('customers moved', count(report.population.moved))}${figure('rows compared', count(report.verification.rows))}
    ${figure('longest downtime of a wave', duration(longest))}${figure('requests accepted', count(report.requests.accepted))}
    ${figure('gates passed', `${report.gates.filter((gate) => gate.status === 'passed').length} of ${report.gates.length}`)}${figure('votes', count(votes))}
  </dl>`;
}
