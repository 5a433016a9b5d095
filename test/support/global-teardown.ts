import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { startTestServer, TEST_TMP_ENV, testStackDir } from './databases';

export default async function teardown(): Promise<void> {
  const server = await startTestServer();
  await server.stop('immediate');
  rmSync(testStackDir(), { recursive: true, force: true });
  const temporary = process.env[TEST_TMP_ENV];
  if (!temporary) return;
  rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  process.env['TMPDIR'] = dirname(temporary);
}
