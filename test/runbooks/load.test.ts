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

  it('reads NO as text, so Norway keeps its holidays', () => {
    expect(findingsOf({ runbook: ['lasts: PT7H', 'lasts: PT7H, holidays: NO'] })).toEqual([]);
  });

  it('never repeats a URL that may hold a password', () => {
    const found = findingsOf({ runbook: ['urlEnv: SOURCE_URL', 'urlEnv: postgres://u:secret@h/db'] }).join();
    expect(found).toMatch(/urlEnv: a URL does not have the expected form/);
    expect(found).not.toContain('secret');
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

  it('says so when the conversion is a folder', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'load-'));
    await writeFile(path.join(folder, 'runbook.yaml'), TINY_RUNBOOK.replace('./conversion.yaml', './'));
    const { findings } = await loadRunbook(path.join(folder, 'runbook.yaml'));
    expect(findings.map(formatFinding).join()).toMatch(
      /runbook\.yaml:5:1: the conversion file .* cannot be read \(EISDIR\)/,
    );
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
