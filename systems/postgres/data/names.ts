/** A name for SQL, quoted always, so that reserved words are names like any other. */
export const ident = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const identList = (names: readonly string[], alias?: string): string =>
  names.map((name) => (alias === undefined ? ident(name) : `${alias}.${ident(name)}`)).join(', ');

export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** `a.k1 = b.k1 and a.k2 = b.k2` */
export const sameKey = (names: readonly string[], left: string, right: string): string =>
  names.map((name) => `${left}.${ident(name)} = ${right}.${ident(name)}`).join(' and ');

/** True when the bytes of the rows differ: 1.0 is not 1.00, null equals null, and types without `=` compare too. */
export const imagesDiffer = (left: string, right: string): string => `row(${left})::record *<> row(${right})::record`;

/**
 * The wave a customer belongs to, written out instead of calling `cutover.wave_of`, so that scans of whole tables do
 * not pay a function call per row. A customer without a member row belongs to the last wave.
 */
export const waveOf = (customer: string): string =>
  `coalesce((select cutover_m.wave from cutover.member cutover_m where cutover_m.customer = (${customer})::text),` +
  ` (select max(cutover_w.wave) from cutover.wave cutover_w))`;
