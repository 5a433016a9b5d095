import { rmSync } from 'node:fs';
import { startTestServer, testStackDir } from './databases';

export default async function teardown(): Promise<void> {
  const server = await startTestServer();
  await server.stop('immediate');
  rmSync(testStackDir(), { recursive: true, force: true });
}
