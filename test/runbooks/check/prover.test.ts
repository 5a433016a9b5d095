import fc from 'fast-check';
import { checkRunbook, RULES } from '../../../runbooks/check';
import { formatFinding } from '../../../runbooks/finding';
import { FINDING_CODES } from '../../../runbooks/finding-codes';
import type { Documents } from '../../../runbooks/load';
import { CORPUS, checkParsed, edited, parse, TINY } from './broken/corpus';

jest.setTimeout(120_000);

const of = (doc: string): number => CORPUS.filter((broken) => (broken.doc ?? 'runbook') === doc).length;

describe('the corpus of broken documents', () => {
  it('holds at least 100 runbooks, and conversions and plans, each of its own name', () => {
    expect(of('runbook')).toBeGreaterThanOrEqual(100);
    expect(of('conversion')).toBeGreaterThanOrEqual(35);
    expect(of('plan')).toBeGreaterThanOrEqual(25);
    expect(new Set(CORPUS.map(({ name }) => name)).size).toBe(CORPUS.length);
  });

  it('has a case for every code a finding may have', () => {
    const shown = new Set(CORPUS.flatMap(({ codes }) => codes));
    // Of the file system: test/runbooks/load.test.ts shows it.
    shown.add('missing-file');
    expect(FINDING_CODES.filter((code) => !shown.has(code))).toEqual([]);
  });

  it('notices when any of the rules is gone', () => {
    const parsed = CORPUS.map((broken) => ({ codes: broken.codes.join(), documents: parse(edited(broken)) }));
    const needed = (rule: (typeof RULES)[number]): boolean => {
      const without = RULES.filter((other) => other !== rule);
      return parsed.some(
        ({ codes, documents }) => answer(documents, [rule]) !== '' && answer(documents, without) !== codes,
      );
    };
    expect(RULES.filter((rule) => !needed(rule)).map((rule) => RULES.indexOf(rule))).toEqual([]);
  });
});

/** The codes, or what is thrown: a rule may rest on those before it. */
function answer(documents: Documents, rules: typeof RULES): string {
  try {
    return checkParsed(documents, rules)
      .map(({ code }) => code)
      .join();
  } catch (error) {
    return String(error);
  }
}

/** Texts that are worse than any person writes: pieces cut out, doubled, swapped, or replaced. */
const mangled = (text: string): fc.Arbitrary<string> => {
  const at = fc.nat({ max: text.length });
  const piece = fc.oneof(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ': ',
      '- ',
      '\n',
      '\t',
      '&a ',
      '*a ',
      '!!x ',
      '? ',
      '|',
      '"',
      "'",
      '#',
      '%',
      'null',
      '[]',
    ),
    fc.constantFrom('-1', '1e999', 'true', '{}', '__proto__', 'constructor', 'PT0S', '$1', '\0', '\ufeff', '\ud800'),
    fc.tuple(at, fc.nat({ max: 200 })).map(([from, length]) => text.slice(from, from + length)),
  );
  const cut = fc.tuple(at, fc.nat({ max: 60 }), piece);
  return fc
    .array(cut, { minLength: 1, maxLength: 4 })
    .map((cuts) =>
      cuts.reduce((now, [from, length, put]) => now.slice(0, from) + put + now.slice(from + length), text),
    );
};

describe('whatever is written', () => {
  it.each(['runbook', 'conversion', 'plan'] as const)('in a %s is answered with findings, never thrown at', (doc) => {
    fc.assert(
      fc.property(mangled(TINY[doc]), (text) => {
        const documents = parse({ ...TINY, [doc]: text });
        for (const finding of checkParsed(documents)) {
          expect(finding.line).toBeGreaterThanOrEqual(1);
          expect(finding.column).toBeGreaterThanOrEqual(1);
          expect(formatFinding(finding)).not.toMatch(/undefined|\[object/);
        }
        expect(documents[doc] === null).toBe(documents.findings.some(({ file }) => file === `${doc}.yaml`));
      }),
      { numRuns: 60 },
    );
  });

  it('lines may end as on other systems, and a file may begin with a byte order mark', () => {
    const foreign = Object.fromEntries(
      Object.entries(TINY).map(([doc, text]) => [doc, `\ufeff${text.replaceAll('\n', '\r\n')}`]),
    ) as typeof TINY;
    expect(checkRunbook(parse(foreign), Date.parse('2026-11-22T12:00:00Z'))).toEqual([]);
  });

  it('dashes and brackets inside a text of SQL are a text', () => {
    const runbook = TINY.runbook.replace(
      "open: state <> 'done'",
      `open: "state <> '--' and state <> ';(' /* it's ( */"`,
    );
    expect(checkParsed(parse({ ...TINY, runbook }))).toEqual([]);
  });
});
