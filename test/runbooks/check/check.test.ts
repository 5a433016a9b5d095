import { checkRunbook } from '../../../runbooks/check';
import { formatFinding, type Finding } from '../../../runbooks/finding';
import { parseDocuments } from '../../../runbooks/load';
import { TINY_CONVERSION, TINY_PLAN, TINY_RUNBOOK } from '../fixtures/tiny';
import type { Broken } from './broken/broken';
import { BROKEN_CONTENT } from './broken/content';
import { BROKEN_HOURS } from './broken/hours';
import { BROKEN_ORDER } from './broken/order';
import { BROKEN_PEOPLE } from './broken/people';
import { BROKEN_REFERENCES } from './broken/references';

const files = { runbook: 'runbook.yaml', conversion: 'conversion.yaml', plan: 'plan.yaml' };
const NOW_MS = Date.parse('2026-11-22T12:00:00Z');
type Texts = Record<'runbook' | 'conversion' | 'plan', string>;
const TINY: Texts = { runbook: TINY_RUNBOOK, conversion: TINY_CONVERSION, plan: TINY_PLAN };

const check = (texts: Texts): Finding[] => checkRunbook(parseDocuments({ ...texts, files }), NOW_MS);

function edited(broken: Broken): Texts {
  const doc = broken.doc ?? 'runbook';
  if (!TINY[doc].includes(broken.from)) throw new Error(`the edit "${broken.name}" does not match the fixture`);
  return { ...TINY, [doc]: TINY[doc].replace(broken.from, () => broken.to) };
}

describe('check', () => {
  it('finds nothing wrong with the tiny runbook', () => {
    expect(check(TINY).map(formatFinding)).toEqual([]);
  });

  it('needs no plan', () => {
    const { runbook, conversion } = TINY;
    expect(checkRunbook(parseDocuments({ runbook, conversion, files }), NOW_MS)).toEqual([]);
  });

  const corpus = [...BROKEN_REFERENCES, ...BROKEN_ORDER, ...BROKEN_HOURS, ...BROKEN_PEOPLE, ...BROKEN_CONTENT];
  it.each(corpus.map((broken) => [broken.name, broken] as const))(
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
      expect({ file: findings[0]?.file, line: findings[0]?.line }).toEqual({ file: files[doc], line });
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

  it('reports mistakes of a readable runbook together with those of an unreadable plan', () => {
    const texts = { ...TINY, runbook: TINY.runbook.replace('owner: lead', 'owner: leed'), plan: 'plan: x\n' };
    const found = check(texts);
    expect(found.map((finding) => finding.code)).toEqual(expect.arrayContaining(['missing-key', 'unknown-role']));
  });
});
