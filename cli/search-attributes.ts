import { SEARCH_ATTRIBUTES } from '../workflows/names';
import { reasonOf, type TemporalClient } from './connect';
import { CliError, EXIT } from './exit';

/** INDEXED_VALUE_TYPE_KEYWORD of Temporal's API. */
const KEYWORD = 2;

/** Names that are not registered yet in the namespace. */
async function missingSearchAttributes({ connection, namespace }: TemporalClient): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return SEARCH_ATTRIBUTES.filter((name) => !(name in (customAttributes ?? {})));
}

/** Registers what is missing. Throws a CliError with the command to run where this client may not do it. */
export async function ensureSearchAttributes(temporal: TemporalClient): Promise<string[]> {
  try {
    const missing = await missingSearchAttributes(temporal);
    if (missing.length > 0)
      await temporal.connection.operatorService.addSearchAttributes({
        namespace: temporal.namespace,
        searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
      });
    return missing;
  } catch (error) {
    if (/already ?exists/i.test(String(error))) return [];
    throw new CliError(
      EXIT.failed,
      `the search attributes could not be registered: ${reasonOf(error)}`,
      `let an operator run: ${searchAttributeCommand(temporal.namespace)}`,
    );
  }
}

export const searchAttributeCommand = (namespace: string): string =>
  `temporal operator search-attribute create --namespace ${namespace} ${SEARCH_ATTRIBUTES.map((name) => `--name ${name} --type Keyword`).join(' ')}`;
