import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectDir } from '../../local/paths';
import { checkRunbook } from '../../runbooks/check';
import { formatFinding } from '../../runbooks/finding';
import { conversionSchema } from '../../runbooks/schema/conversion';
import { planSchema } from '../../runbooks/schema/plan';
import { runbookSchema } from '../../runbooks/schema/runbook';
import { readFolder } from '../support/local-documents';

const FOLDERS = ['runbooks/billing-oss', 'test/runbooks/tiny'];

describe.each(FOLDERS)('the documents in %s', (folder) => {
  const read = (name: string): unknown => parse(readFileSync(join(projectDir(), folder, name), 'utf8'));
  const runbook = runbookSchema.parse(read('runbook.yaml'));
  const conversion = conversionSchema.parse(read('conversion.yaml'));
  const plan = planSchema.parse(read('plan.yaml'));
  const phases = [...runbook.before, ...runbook.perWave, ...runbook.after];
  const gates = phases.flatMap((phase) => (phase.gate ? [phase.gate] : []));
  const stepIds = phases.flatMap((phase) => phase.steps.map((step) => step.id ?? step.kind));

  it('pass `cutover check` without an error or a warning', () => {
    expect(checkRunbook(readFolder(folder), Date.parse('2026-11-22T12:00:00Z')).map(formatFinding)).toEqual([]);
  });

  it('give each step and each gate an id of its own', () => {
    const ids = [...stepIds, ...gates.map((gate) => gate.id)];
    expect(ids).toEqual([...new Set(ids)]);
  });

  it('end every phase in a gate, and name a gate as the point of no return', () => {
    expect(gates).toHaveLength(phases.length);
    expect(gates.map((gate) => gate.id)).toContain(runbook.pointOfNoReturn);
  });

  it('let a quorum of distinct people vote at each gate without the lead', () => {
    for (const gate of gates) {
      expect(gate.votes).not.toContain('lead');
      const holders = gate.votes.map((role) =>
        plan.people.filter((person) => person.roles.includes(role)).map((person) => person.id),
      );
      expect(new Set(holders.flat()).size).toBe(holders.flat().length);
      expect(holders.every((people) => people.length > 0)).toBe(true);
    }
  });

  it('ask a named person before each disruptive step', () => {
    const disruptive = phases
      .flatMap((phase) => phase.steps)
      .filter((step) => ['freeze', 'switch', 'intake'].includes(step.kind));
    expect(disruptive.length).toBeGreaterThan(1);
    for (const step of disruptive) expect(step.go).toBeDefined();
  });

  it('name only roles, gates, steps, totals and work that exist', () => {
    const roles = Object.keys(runbook.roles);
    const used = phases.flatMap((phase) => [
      phase.owner,
      ...phase.steps.flatMap((step) => [step.owner, step.go]),
      ...(phase.gate?.votes ?? []),
    ]);
    for (const role of used) if (role !== undefined) expect(roles).toContain(role);
    for (const measure of runbook.success)
      for (const gate of measure.at) expect(gates.map(({ id }) => id)).toContain(gate);
    for (const risk of runbook.risks) if (risk.closedBy !== undefined) expect(stepIds).toContain(risk.closedBy);
    for (const step of phases.flatMap((phase) => phase.steps)) {
      if (step.kind === 'verify')
        for (const total of step.totals ?? []) expect(Object.keys(runbook.totals)).toContain(total);
      if (step.kind === 'drain') for (const work of step.work) expect(Object.keys(runbook.work)).toContain(work);
    }
    expect(plan.runbook).toBe(runbook.runbook);
  });

  it('bring every entity back: each column of a table, or a query of its own', () => {
    for (const [name, entity] of Object.entries(conversion.entities)) {
      const backs = Object.values(entity.columns).map(
        (column) => typeof column !== 'string' && column.back !== undefined,
      );
      expect([name, 'query' in entity.from ? entity.back !== undefined : backs.every(Boolean)]).toEqual([name, true]);
    }
  });
});
