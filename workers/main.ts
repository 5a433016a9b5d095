import { loadConfig } from './config';
import { runWorkers } from './run-workers';
import { TemporalSettingsError } from './temporal-settings';

async function main(): Promise<void> {
  await runWorkers(loadConfig(process.env));
}

main().catch((error: unknown) => {
  const remedy = error instanceof TemporalSettingsError ? `\n→ ${error.remedy}` : '';
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${remedy}\n`);
  process.exitCode = 1;
});
