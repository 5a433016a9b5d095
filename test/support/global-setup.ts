import { temporalBinary } from '../../local/temporal-binary';
import { startTestServer, TEST_STACK_ENV } from './databases';

/**
 * One PostgreSQL server for each jest run, so that runs side by side do not meet; and a Temporal CLI, which on a new machine is
 * built here, once, and not inside a test's time limit.
 */
export default async function setup(): Promise<void> {
  process.env[TEST_STACK_ENV] = `test-${process.pid}`;
  const log = (line: string): void => void process.stdout.write(`${line}\n`);
  if (!process.env['TEMPORAL_ADDRESS']) await temporalBinary({ env: process.env, log });
  await startTestServer();
}
