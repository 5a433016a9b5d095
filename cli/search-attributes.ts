import { ensureSearchAttributes } from '../workers/search-attributes';
import { SEARCH_ATTRIBUTES } from '../workflows/names';
import { reasonOf, type TemporalClient } from './connect';
import { CliError, EXIT } from './exit';

/** Registers what is missing and returns it. Throws a CliError with the command to run where this client may not do it. */
export async function registerSearchAttributes({ connection, namespace }: TemporalClient): Promise<string[]> {
  try {
    return await ensureSearchAttributes(connection, namespace);
  } catch (error) {
    throw new CliError(
      EXIT.failed,
      `the search attributes could not be registered: ${reasonOf(error)}`,
      `let an operator run: ${searchAttributeCommand(namespace)}`,
    );
  }
}

export const searchAttributeCommand = (namespace: string): string =>
  `temporal operator search-attribute create --namespace ${namespace} ${SEARCH_ATTRIBUTES.map((name) => `--name ${name} --type Keyword`).join(' ')}`;
