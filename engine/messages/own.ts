/** Looks up what a person typed: only the record's own keys, so that `constructor` is as unknown as any other wrong id. */
export const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;
