import { createHash } from 'node:crypto';

/**
 * Contact values are made from the operation's id, so that whoever reads a row knows which operation wrote it and the
 * journal needs no values. `.invalid` never resolves (RFC 2606).
 */
export const emailOf = (op: string): string => `${op}@mail.invalid`;

/** A number in the range reserved for fiction, from the operation's id. */
export function phoneOf(op: string): string {
  const digits = parseInt(createHash('sha256').update(op).digest('hex').slice(0, 12), 16) % 10_000_000;
  return `555${String(digits).padStart(7, '0')}`;
}

/** Cents as the decimal text both systems read: -5 → '-0.05'. */
export function decimal(cents: number): string {
  const sign = cents < 0 ? '-' : '';
  const absolute = Math.abs(cents);
  return `${sign}${Math.floor(absolute / 100)}.${String(absolute % 100).padStart(2, '0')}`;
}

/** Whole cents of a decimal text with at most two decimals. */
export function centsOf(text: string): number {
  const match = /^\s*(-?)(\d+)(?:\.(\d{1,2}))?\s*$/.exec(text);
  if (!match) throw new Error('not an amount');
  const cents = Number(match[2]) * 100 + Number((match[3] ?? '').padEnd(2, '0'));
  return match[1] === '-' && cents !== 0 ? -cents : cents;
}
