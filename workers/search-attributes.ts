import type { Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../workflows/names';

/** `KEYWORD` of temporal.api.enums.v1.IndexedValueType. */
const KEYWORD = 2;

/** Registers the search attributes the workflows write; a run would stand still without them. Idempotent. */
export async function ensureSearchAttributes(client: Client): Promise<void> {
  const { operatorService } = client.connection;
  const { namespace } = client.options;
  const known = await operatorService.listSearchAttributes({ namespace });
  const missing = SEARCH_ATTRIBUTES.filter((name) => !(name in (known.customAttributes ?? {})));
  if (missing.length === 0) return;
  await operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
  });
}
