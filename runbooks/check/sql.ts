import { report, type Remark, type Rule } from './context';
import { sqlTexts } from './sql-texts';

type Text = ReturnType<typeof sqlTexts>[number];

/** A rule that looks at one SQL text after the other. */
function eachSql(remark: Remark, isWrong: (text: Text) => boolean): Rule {
  return (context) => {
    for (const text of sqlTexts(context)) if (isWrong(text)) report(context, text.doc, text.path, remark);
  };
}

/** Brackets and quotes that do not close: most often a comma or a `#` that YAML took for its own. */
export const brokenSql: Rule = eachSql(
  {
    code: 'sql-unbalanced',
    message: 'brackets or quotes of this SQL do not match',
    remedy: 'put quotes around the whole expression; YAML may have cut it',
  },
  ({ bare }) => !isBalanced(bare),
);

function isBalanced(bare: string): boolean {
  if (/['"]/.test(bare)) return false;
  const open: string[] = [];
  for (const [bracket] of bare.matchAll(/[()[\]]/g)) {
    if (bracket === '(' || bracket === '[') open.push(bracket);
    else if (open.pop() !== (bracket === ')' ? '(' : '[')) return false;
  }
  return open.length === 0;
}

/** A `>-` text has no line ends left, and an expression is put into brackets: what follows `--` is gone, its bracket included. */
export const swallowingComments: Rule = eachSql(
  {
    code: 'sql-comment',
    message: 'the comment `--` swallows all that follows it: no line ends after it',
    remedy: 'write `/* … */`, or remove it',
  },
  ({ bare, use }) => use !== 'statement' && bare.slice(bare.lastIndexOf('\n') + 1).includes('--'),
);

export const semicolons: Rule = eachSql(
  {
    code: 'sql-semicolon',
    message: 'a `;` inside a larger statement',
    remedy: 'remove it: one expression, query or statement stands here',
  },
  ({ bare, use }) => use !== 'statement' && bare.includes(';'),
);

/** What an office program makes of quotes. */
export const typographicQuotes: Rule = eachSql(
  {
    code: 'sql-quotes',
    message: 'typographic quotes: the database takes them for letters',
    remedy: 'write \' and "',
  },
  ({ bare }) => /[\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb]/.test(bare),
);

const WRITES =
  /\b(insert\s+into|delete\s+from|merge\s+into|truncate\s+\w|(drop|alter|create)\s+(table|view|index|schema|function|sequence|role|trigger))\b|^\s*update\s/i;

export const readsThatWrite: Rule = eachSql(
  {
    code: 'sql-writes',
    message: 'this is only read, as often as it is needed, and it would write',
    remedy: 'write a query; a change is a step `kind: action` with its `undo`',
  },
  ({ bare, use }) => (use === 'expression' || use === 'query') && WRITES.test(bare),
);

const FLEETING =
  /\b(now|random|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|gen_random_uuid|uuid_generate_v[14]|nextval|currval|pg_backend_pid)\s*\(|\b(current_date|current_time|current_timestamp|localtime|localtimestamp|current_user|session_user)\b/i;

/** CONTENT: the mapping is asked at the copy, at each catch-up and at the proof. */
export const fleetingMapping: Rule = eachSql(
  {
    code: 'not-repeatable',
    message: 'this gives another answer each time, so no proof could find both sides equal',
    remedy: 'map a column of the source, or write a constant',
  },
  ({ bare, mapping }) => mapping && FLEETING.test(bare),
);
