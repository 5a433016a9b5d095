import { checkRunbook } from '../../../runbooks/check';
import { formatFinding } from '../../../runbooks/finding';
import { parseDocuments } from '../../../runbooks/load';
import { TINY_CONVERSION, TINY_PLAN, TINY_RUNBOOK } from '../fixtures/tiny';
import { check, CORPUS, edited, FILES, TINY } from './broken/corpus';

describe('check', () => {
  it('finds nothing wrong with the tiny runbook', () => {
    expect(check(TINY).map(formatFinding)).toEqual([]);
  });

  it('needs no plan', () => {
    const { runbook, conversion } = TINY;
    expect(checkRunbook(parseDocuments({ runbook, conversion, files: FILES }))).toEqual([]);
  });

  it.each(CORPUS.map((broken) => [broken.name, broken] as const))(
    'finds %s, says where, and what to write instead',
    (_, broken) => {
      const texts = edited(broken);
      const findings = check(texts);
      expect({ codes: findings.map((finding) => finding.code), findings: findings.map(formatFinding) }).toMatchObject({
        codes: broken.codes,
      });
      for (const finding of findings) expect(finding.remedy.length).toBeGreaterThan(5);
      const doc = broken.foundIn ?? broken.doc ?? 'runbook';
      const line = texts[doc].split('\n').findIndex((text) => text.includes(broken.line)) + 1;
      expect({ file: findings[0]?.file, line: findings[0]?.line }).toEqual({ file: FILES[doc], line });
      // Line, column and words, as kept beside this file.
      expect(findings.map(formatFinding)).toMatchSnapshot();
    },
  );

  it('finds a point of no return that the first of two waves would pass', () => {
    const inWave = TINY_RUNBOOK.replace('pointOfNoReturn: accept', 'pointOfNoReturn: open-doors');
    expect(check({ ...TINY, runbook: inWave })).toEqual([]);
    const twoWaves = TINY_PLAN.replace('- { id: w1 }', '- { id: w0, where: customer_id < 5 }\n  - { id: w1 }');
    const found = check({ ...TINY, runbook: inWave, plan: twoWaves });
    expect(found.map((finding) => [finding.code, finding.line])).toEqual([['early-point-of-no-return', 6]]);
  });

  it('takes a second person for a role as another starter', () => {
    const leadVotes = TINY_RUNBOOK.replace('id: go-freeze, votes: [ops, vendor]', 'id: go-freeze, votes: [ops, lead]');
    const deputy = TINY_PLAN.replace('waves:', '  - { id: di, name: Di Deputy, roles: [lead], deputyOf: ann }\nwaves:');
    expect(check({ ...TINY, runbook: leadVotes, plan: deputy })).toEqual([]);
  });

  it('lets a column stay behind when the entity says so', () => {
    const conversion = TINY_CONVERSION.replace(", back: 'amount::text', into: amount", '').replace(
      '    sourceSequence',
      '    residue: [amount]\n    sourceSequence',
    );
    expect(check({ ...TINY, conversion })).toEqual([]);
  });

  it('takes a mark of what was sent that comes back, and none that stays behind', () => {
    const sent = TINY_CONVERSION.replace('    sourceSequence', "    sent: amount <> '0'\n    sourceSequence");
    expect(check({ ...TINY, conversion: sent })).toEqual([]);
    for (const without of ['{ to: amount }', 'amount']) {
      const behind = sent
        .replace("{ to: 'amount::numeric(12,2)', back: 'amount::text', into: amount }", without)
        .replace('    sourceSequence', '    residue: [amount]\n    sourceSequence');
      expect(check({ ...TINY, conversion: behind }).map(({ code }) => code)).toEqual(['sent-without-back']);
    }
  });

  it('reports mistakes of a readable runbook together with those of an unreadable plan', () => {
    const texts = { ...TINY, runbook: TINY.runbook.replace('owner: lead', 'owner: leed'), plan: 'plan: x\n' };
    const found = check(texts);
    expect(found.map((finding) => finding.code)).toEqual(expect.arrayContaining(['missing-key', 'unknown-role']));
  });
});
