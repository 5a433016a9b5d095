import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../workflows/names';

/** `KEYWORD` of temporal.api.enums.v1.IndexedValueType. */
const KEYWORD = 2;

/**
 * Registers the search attributes the workflows write; a run would stand still without them. Returns those that were missing.
 * Throws what the server says, for instance that this client may not.
 */
export async function ensureSearchAttributes(
  { operatorService }: Pick<Connection, 'operatorService'>,
  namespace: string,
): Promise<string[]> {
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const missing = SEARCH_ATTRIBUTES.filter((name) => !(name in (customAttributes ?? {})));
  if (missing.length === 0) return [];
  try {
    await operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
    });
    return missing;
  } catch (error) {
    if (/already ?exists/i.test(String(error))) return []; // somebody else was faster
    throw error;
  }
}
