/** Words that say nothing of what a table is. */
const FILLERS = new Set(['tbl', 'tb', 't', 'tab', 'table', 'the', 'is', 'has']);
/** Words people use for the number of a thing. */
const NUMBERS = new Set(['id', 'no', 'nr', 'num', 'number', 'key']);

/** From here on two names are taken for the same thing. */
export const ALIKE = 0.6;

const singular = (word: string): string => {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (word.length > 4 && /(s|x|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
};

/** The words of a name in snake or camel case, in the singular and without fillers. */
export function wordsOf(name: string): string[] {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
    .map(singular);
  const kept = words.filter((word) => !FILLERS.has(word));
  return kept.length > 0 ? kept : words;
}

/** `mtr` for `meter`: the first letter and the consonants after it. */
const skeleton = (word: string): string => word.slice(0, 1) + word.slice(1).replaceAll(/[aeiou]/g, '');

/** 1 for the same word, less for an abbreviation (`descr`, `mtr`), a longer form (`email`), or another word for a number. */
function wordsAlike(left: string, right: string): number {
  if (left === right) return 1;
  if (NUMBERS.has(left) && NUMBERS.has(right)) return 0.9;
  const [short, long] = left.length < right.length ? [left, right] : [right, left];
  if (short.length < 3) return 0;
  return long.startsWith(short) || skeleton(long) === short || (short.length > 3 && long.endsWith(short)) ? 0.8 : 0;
}

/** How alike two names are, 0 to 1: the same but for case, plural and underscores, or sharing most of their words. */
export function namesAlike(left: string, right: string): number {
  if (left === right) return 1;
  const [a, b] = [wordsOf(left), wordsOf(right)];
  if (a.join('') === b.join('')) return 0.95;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  const shared = short.reduce((sum, word) => sum + Math.max(...long.map((other) => wordsAlike(word, other))), 0);
  const dice = (0.9 * 2 * shared) / (a.length + b.length);
  // `due` for `due_date`: nothing in the shorter name speaks against it.
  return shared === short.length ? Math.max(dice, 0.75) : dice;
}

/** The words that every name begins with, such as `cus` in `cus_no, cus_name`; empty with fewer than three names. */
export function commonPrefix(names: readonly string[]): string {
  const firsts = names.map((name) => /^([a-z0-9]+_)/.exec(name)?.[1] ?? '');
  const counts = new Map<string, number>();
  for (const first of firsts) counts.set(first, (counts.get(first) ?? 0) + 1);
  const [prefix = '', count = 0] = [...counts].sort((x, y) => y[1] - x[1])[0] ?? [];
  return prefix !== '' && names.length >= 3 && count > names.length / 2 ? prefix : '';
}

export const withoutPrefix = (name: string, prefix: string): string =>
  prefix !== '' && name.startsWith(prefix) && name.length > prefix.length ? name.slice(prefix.length) : name;
