import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { formatFinding } from '../../runbooks/finding';
import { loadPlan, loadRunbook, packRunbook, parseDocuments, unpackRunbook } from '../../runbooks/load';
import { TINY_CONVERSION, TINY_PLAN, TINY_RUNBOOK } from './fixtures/tiny';

const files = { runbook: 'r.yaml', conversion: 'c.yaml', plan: 'p.yaml' };
function findingsOf(edit: { runbook?: [string, string]; conversion?: [string, string]; plan?: [string, string] }) {
  const change = (text: string, pair?: [string, string]): string => {
    if (pair && !text.includes(pair[0])) throw new Error('the edit does not match the fixture');
    return pair ? text.replace(pair[0], pair[1]) : text;
  };
  return parseDocuments({
    runbook: change(TINY_RUNBOOK, edit.runbook),
    conversion: change(TINY_CONVERSION, edit.conversion),
    plan: change(TINY_PLAN, edit.plan),
    files,
  }).findings.map(formatFinding);
}

describe('reading documents', () => {
  it('finds nothing wrong with the tiny runbook', () => {
    expect(findingsOf({})).toEqual([]);
  });

  const cases: [string, Parameters<typeof findingsOf>[0], RegExp][] = [
    [
      'suggests the key that was meant',
      { runbook: ['timeZone:', 'timeZome:'] },
      /^r\.yaml:4:1: unknown key `timeZome`; write `timeZone`/,
    ],
    [
      'suggests the step kind that was meant',
      { runbook: ['kind: freeze', 'kind: freze'] },
      /^r\.yaml:\d+:17: kind: `freze` is not known; write `freeze`/,
    ],
    [
      'suggests a key of the right step kind',
      { runbook: ['drain, work', 'drain, wrok'] },
      /unknown key `wrok`; write `work`/,
    ],
    [
      'suggests a key inside one form of a stock of work',
      { runbook: ['open: state', 'opened: state'] },
      /unknown key `opened`; write `open`/,
    ],
    [
      'names a missing key',
      { runbook: ['version: 1\n', ''] },
      /^r\.yaml:1:1: `version` is missing; add `version:` with a number/,
    ],
    ['names a key without a value', { runbook: ['version: 1', 'version:'] }, /^r\.yaml:2:\d+: `version` has no value/],
    [
      'asks for a name where a number stands',
      { runbook: ['{ id: scope,', '{ id: 12,'] },
      /^r\.yaml:\d+:15: id: the number 12 is not a name; write an id/,
    ],
    [
      'asks for a name where a number stands in a list',
      { runbook: ['votes: [ops, vendor], ownVotes', 'votes: [7], ownVotes'] },
      /the number 7 is not a name/,
    ],
    [
      'asks for quotes where a text looks like a number',
      { plan: ['name: Bo Ops', 'name: 42'] },
      /^p\.yaml:5:21: name: the number 42 is not a text; put quotes around it: '42'/,
    ],
    [
      'sees unquoted braces',
      { runbook: ['title: Two tables', 'title: {{ name }}'] },
      /^r\.yaml:3:\d+: unquoted `\{\{ \}\}` is a map inside a map; put quotes/,
    ],
    [
      'sees unquoted braces before text',
      { runbook: ['title: Two tables', 'title: {{ name }} night'] },
      /^r\.yaml:3:\d+: `\{\{` starts a YAML map/,
    ],
    [
      'sees a tab',
      { runbook: ['  lead: own', '\tlead: own'] },
      /^r\.yaml:8:\d+: a tab in the indentation; indent with spaces/,
    ],
    ['sees a duplicate key', { runbook: ['version: 1', 'version: 1\nversion: 2'] }, /^r\.yaml:3:1: the same key twice/],
    ['sees an anchor', { runbook: ['lead: own', 'lead: &mine own'] }, /^r\.yaml:8:\d+: an anchor/],
    [
      'sees an alias',
      { runbook: ['lead: own\n  ops: own', 'lead: &mine own\n  ops: *mine'] },
      /^r\.yaml:9:8: an alias/,
    ],
    ['sees a merge key', { runbook: ['  lead: own', '  <<: { lead: own }'] }, /^r\.yaml:8:3: a merge key/],
    [
      'sees the YAML version that reads NO as false',
      { runbook: ['runbook: tiny', '%YAML 1.1\n---\nrunbook: tiny'] },
      /^r\.yaml:1:1: YAML 1\.1 reads NO/,
    ],
    ['sees a second document', { runbook: ['version: 1', '---\nversion: 1'] }, /more than one document/],
    [
      'sees a comma that cut a value short',
      { conversion: ['name: btrim(descr)', 'name: coalesce(descr, code)'] },
      /^c\.yaml:2:\d+: `code\)` cannot stand here as a name; a comma inside/,
    ],
    [
      'sees a comma that made an unknown key',
      { runbook: ['title: Scope agreed', 'title: Scope, timeline agreed'] },
      /`timeline agreed` was read as a key without a value; a comma/,
    ],
    [
      'sees a colon inside a value',
      { runbook: ['title: Two tables', 'title: Night: two tables'] },
      /^r\.yaml:3:\d+: a second `: ` in one value; put quotes/,
    ],
    [
      'explains a duration',
      { runbook: ['lasts: PT7H', 'lasts: 7 hours'] },
      /^r\.yaml:\d+:\d+: lasts: `7 hours` does not have the expected form; write an ISO 8601 duration/,
    ],
    [
      'explains an instant',
      { plan: ['waves:', 'windows: { night: [{ opensAt: 2026-11-28T22:00:00, lasts: PT1H }] }\nwaves:'] },
      /opensAt.*write an instant with its offset/,
    ],
    [
      'lists the values a key may have',
      { runbook: ['onNoGo: rollBack', 'onNoGo: retry'] },
      /onNoGo: `retry`; write one of `hold`, `rollBack`, `abort`/,
    ],
    [
      'explains the environment variable',
      { runbook: ['urlEnv: SOURCE_URL', 'urlEnv: postgres://u:secret@h/db'] },
      /urlEnv: a URL does not have the expected form; write the NAME/,
    ],
    [
      'asks for at least one item',
      { runbook: ['items: [Order, Payment]', 'items: []'] },
      /items: a list is too small; at least 1 items/,
    ],
  ];
  it.each(cases)('%s', (_, edit, expected) => {
    const found = findingsOf(edit);
    expect(found.join('\n')).toMatch(new RegExp(expected.source, 'm'));
  });

  it('reads NO as text, so Norway keeps its holidays', () => {
    expect(findingsOf({ runbook: ['holidays: NL', 'holidays: NO'] })).toEqual([]);
  });

  it('never repeats a URL that may hold a password', () => {
    expect(findingsOf({ runbook: ['urlEnv: SOURCE_URL', 'urlEnv: postgres://u:secret@h/db'] }).join()).not.toContain(
      'secret',
    );
  });
});

describe('loading from disk', () => {
  it('reads the runbook, the conversion it names, and the plan', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'load-'));
    await writeFile(path.join(folder, 'runbook.yaml'), TINY_RUNBOOK);
    await writeFile(path.join(folder, 'conversion.yaml'), TINY_CONVERSION);
    await writeFile(path.join(folder, 'plan.yaml'), TINY_PLAN);
    const loaded = await loadRunbook(path.join(folder, 'runbook.yaml'));
    expect(loaded.findings).toEqual([]);
    expect(loaded.runbook?.runbook).toBe('tiny');
    expect(Object.keys(loaded.conversion?.entities ?? {})).toEqual(['customer', 'purchase', 'address']);
    expect((await loadPlan(path.join(folder, 'plan.yaml'))).plan?.people).toHaveLength(3);
  });

  it('says which conversion is missing, at the line that names it', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'load-'));
    await writeFile(path.join(folder, 'runbook.yaml'), TINY_RUNBOOK);
    const loaded = await loadRunbook(path.join(folder, 'runbook.yaml'));
    expect(loaded.findings.map((finding) => [finding.line, finding.code])).toEqual([[5, 'missing-file']]);
    expect(loaded.conversion).toBeNull();
  });

  it('packs both texts into one document and gives them back unchanged', () => {
    const packed = packRunbook(TINY_RUNBOOK, TINY_CONVERSION, {
      runbook: '/a/b/runbook.yaml',
      conversion: '/a/b/c.yaml',
    });
    expect(unpackRunbook(packed)).toEqual({
      runbook: TINY_RUNBOOK,
      conversion: TINY_CONVERSION,
      files: { runbook: 'runbook.yaml', conversion: 'c.yaml' },
    });
    expect(() => unpackRunbook('{"runbook": 1}')).toThrow();
  });
});
