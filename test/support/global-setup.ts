import { startTestServer, TEST_STACK_ENV } from './databases';

/** One PostgreSQL server for each jest run, so that runs side by side do not meet. */
export default async function setup(): Promise<void> {
  process.env[TEST_STACK_ENV] = `test-${process.pid}`;
  await startTestServer();
}
