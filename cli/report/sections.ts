import { count, duration } from './format';
import { html, table, type Markup } from './markup';
import type { JsonGate, ReportJson } from './report-json';
import { censusAdds } from './verdict';

type Clock = (time: string | null) => string;

const WORDS: Record<string, string> = {
  ...{ pass: 'good', go: 'good', passed: 'good', done: 'good', adopted: 'good', live: 'good' },
  ...{ fail: 'bad', 'no-go': 'bad', refused: 'bad', failed: 'bad', unread: 'bad', aborted: 'bad' },
};

/** A state in words, coloured too. */
export function state(word: string): Markup {
  return html`<span class="${WORDS[word] ?? 'open'}">${word}</span>`;
}

export function census(report: ReportJson): Markup {
  const { population } = report;
  const term = (value: number, name: string): Markup => html`<span><b>${count(value)}</b><small>${name}</small></span>`;
  const sign = (text: string): Markup => html`<span class="sign">${text}</span>`;
  const adds = censusAdds(population);
  return html`<section>
    <h2>Every customer accounted for</h2>
    <div class="equation">
      ${term(population.baseline, 'at the start')}${sign('+')}${term(population.won, 'won')}${sign(adds ? '=' : '≠')}
      ${term(population.moved, 'moved')}${sign('+')}${term(population.excluded, 'excluded')}${sign('+')}${term(population.departed, 'departed')}${sign('+')}${term(population.remaining, 'remaining')}
    </div>
    <p>
      Missing: ${flag(population.missing)}. In both systems: ${flag(population.duplicated)}.
      ${adds ? 'The census adds up.' : html`<span class="bad">The census does not add up.</span>`}
    </p>
  </section>`;
}

function flag(value: number): Markup {
  return html`<span class="${value === 0 ? 'good' : 'bad'}">${count(value)}</span>`;
}

export function success(report: ReportJson): Markup {
  const rows = report.success.map((each) => [
    each.title,
    each.wave ?? 'all',
    each.threshold,
    each.shown,
    state(each.verdict),
    each.gate ?? 'at the end',
  ]);
  const heads = ['Measure', 'Wave', 'Agreed', 'Read', 'Verdict', 'At gate'];
  return html`<section>
    <h2>Measures of success</h2>
    ${table('Agreed in advance, read from the systems', heads, rows, 'No measure was agreed.')}
  </section>`;
}

export function gates(report: ReportJson, at: Clock): Markup {
  return html`<section>
    <h2>Go / no-go decisions</h2>
    <p class="soft">votes: ${report.votes} – voters are self-declared until votes are signed.</p>
    ${report.gates.length === 0 ? html`<p class="empty">No gate was reached.</p>` : report.gates.map((gate) => oneGate(report, gate, at))}
  </section>`;
}

function oneGate(report: ReportJson, gate: JsonGate, at: Clock): Markup {
  const name = new Map(report.people.map((person) => [person.id, person.name]));
  const votes = gate.votes.map((vote) => [
    `${name.get(vote.person) ?? vote.person} (${vote.person})`,
    vote.voided === null ? state(vote.decision) : html`<s>${vote.decision}</s> void: ${vote.voided}`,
    vote.reason ?? '–',
    at(vote.at),
    html`<code>${vote.digest.slice(0, 12)}</code>`,
  ]);
  const evidence = gate.evidence.map((item) => [item.title, item.kind, item.shown, state(item.verdict)]);
  return html`<h3>${gate.id}${gate.wave === null ? null : ` · ${gate.wave}`} – ${state(gate.status)}</h3>
    <p class="soft">
      Opened ${at(gate.openedAt)}, decided ${at(gate.decidedAt)}. Asked: ${gate.roles.join(', ')}. Evidence
      <code>${gate.digest?.slice(0, 12) ?? '–'}</code>
    </p>
    ${table('Votes', ['Person', 'Vote', 'Reason', 'When', 'On evidence'], votes, 'Nobody voted.')}
    ${table('Evidence', ['What', 'Kind', 'Shown', 'Verdict'], evidence, 'No evidence was shown.')}`;
}

export function waves(report: ReportJson): Markup {
  const rows = report.waves.map((wave) => {
    const { machine, people } = wave.downtimeSeconds;
    return [wave.id, duration(machine), duration(people), count(wave.deltaRows)];
  });
  return html`<section>
    <h2>Waves</h2>
    ${table('How long writes were refused, and what the last conversion carried', ['Wave', 'Machine', 'People', 'Rows in the delta'], rows, 'No wave was started.')}
  </section>`;
}

export function verification(report: ReportJson): Markup {
  const waveName = (wave: number): string => report.waves.find((each) => each.wave === wave)?.id ?? String(wave);
  const rows = report.verification.waves.flatMap((wave) => [
    ...wave.entities.map((each) => [each.entity, waveName(wave.wave), count(each.rows), flag(each.mismatches)]),
    ...wave.totals.map((total) => [
      `total ${total.id}`,
      waveName(wave.wave),
      '–',
      total.equal ? state('pass') : state('fail'),
    ]),
  ]);
  return html`<section>
    <h2>Both sides compared</h2>
    <p>${count(report.verification.rows)} rows compared, ${flag(report.verification.mismatches)} differ.</p>
    ${table('Frozen comparison', ['Entity', 'Wave', 'Rows', 'Differ'], rows, 'Nothing was compared while frozen.')}
  </section>`;
}

export function work(report: ReportJson): Markup {
  const { accepted, effected, held, replayed, pending, lost } = report.requests;
  const rules = report.rules.map((rule) => [rule.id, rule.entity, count(rule.rows), count(rule.customers), rule.why]);
  const left = report.leftovers.map((each) => [each.work, count(each.count), each.wentTo]);
  return html`<section>
      <h2>Requests and open work</h2>
      <p>
        ${count(accepted)} requests accepted, ${count(effected)} took effect; ${count(held)} were held,
        ${count(replayed)} replayed, ${count(pending)} are pending, ${flag(lost)} lost.
      </p>
      ${table('Work left at the end of a drain', ['Work', 'Items', 'Went to'], left, 'No open work was left.')}
    </section>
    <section>
      <h2>Rules applied</h2>
      ${table('Rows that needed a decision', ['Rule', 'Entity', 'Rows', 'Customers', 'Why'], rules, 'No rule was needed.')}
    </section>`;
}

export function people(report: ReportJson, at: Clock): Markup {
  const risks = report.risks.map((risk) => [
    risk.text,
    risk.mitigation,
    risk.owner,
    risk.closed ? state('done') : state('open'),
  ]);
  const incidents = report.incidents.map((each) => [
    each.title,
    each.severity,
    each.wave ?? 'all',
    at(each.raisedAt),
    each.resolvedAt === null ? state('open') : at(each.resolvedAt),
  ]);
  return html`<section>
    <h2>Risks and incidents</h2>
    ${table('Risk register', ['Risk', 'Mitigation', 'Owner', 'State'], risks, 'No risk was registered.')}
    ${table('Incidents', ['Incident', 'Severity', 'Wave', 'Raised', 'Resolved'], incidents, 'No incident was raised.')}
  </section>`;
}

/** Nothing when nobody changed anything under way. */
export function amendments(report: ReportJson, at: Clock): Markup | null {
  if (report.amendments.length === 0) return null;
  const rows = report.amendments.map((each) => [
    at(each.at),
    state(each.adopted ? 'adopted' : 'refused'),
    each.approvedBy,
    each.what,
    html`<code>${each.runbookHash.slice(0, 12)}</code> / <code>${each.planHash.slice(0, 12)}</code>`,
  ]);
  const heads = ['When', 'Became', 'Approved by', 'What it changed, or why not', 'Runbook / plan'];
  return html`<section>
    <h2>Amendments</h2>
    ${table('Changed under way, each approved by two people', heads, rows, '')}
  </section>`;
}

export function audit(report: ReportJson): Markup {
  const { entries, head, brokenAt } = report.audit;
  return html`<section>
    <h2>Ledger</h2>
    <p>
      ${count(entries)} entries, head <code>${head}</code>.
      ${brokenAt === null ? html`<span class="good">The chain is whole.</span>` : html`<span class="bad">Broken at entry ${brokenAt}.</span>`}
    </p>
    <p class="soft">Runbook <code>${report.runbook.hash}</code>, plan <code>${report.plan.hash}</code>.</p>
  </section>`;
}
