import { loadConfig } from './config';
import { runWorkers } from './run-workers';

async function main(): Promise<void> {
  await runWorkers(loadConfig(process.env));
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
