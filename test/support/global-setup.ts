import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { temporalBinary } from '../../local/temporal-binary';
import { startTestServer, TEST_STACK_ENV, TEST_TMP_ENV } from './databases';

/**
 * One PostgreSQL server and one folder for temporary files for each jest run, so that runs side by side do not meet, and nothing
 * is left of them; and a Temporal CLI, which on a new machine is built here, once, and not inside a test's time limit.
 */
export default async function setup(): Promise<void> {
  process.env[TEST_STACK_ENV] = `test-${process.pid}`;
  const temporary = mkdtempSync(join(tmpdir(), 'cutover-test-'));
  chmodSync(temporary, 0o755);
  process.env['TMPDIR'] = process.env[TEST_TMP_ENV] = temporary;
  const log = (line: string): void => void process.stdout.write(`${line}\n`);
  if (!process.env['TEMPORAL_ADDRESS']) await temporalBinary({ env: process.env, log });
  await startTestServer();
}
