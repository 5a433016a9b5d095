import { Pool } from 'pg';
import PgBoss from 'pg-boss';
import { z } from 'zod';
import { Provisioning } from './provisioning';

/** Entry point of the legacy back office. Prints one line of JSON when it works, one when it stops. */
async function main(): Promise<void> {
  const env = z.object({ SOURCE_URL: z.string().min(1) }).parse(process.env);
  const report = (text: string): void => void process.stderr.write(`${text}\n`);
  const pool = new Pool({ connectionString: env.SOURCE_URL, max: 2, application_name: 'legacy-backoffice' });
  pool.on('error', () => report('back office: a connection was lost'));
  const boss = new PgBoss({
    connectionString: env.SOURCE_URL,
    max: 2,
    schedule: false,
    application_name: 'legacy-queue',
  });
  boss.on('error', () => report('back office: the queue reported an error'));
  await boss.start();
  const provisioning = new Provisioning(pool, boss, report);
  process.once('SIGTERM', () => provisioning.stop());
  process.once('SIGINT', () => provisioning.stop());
  process.stdout.write(`${JSON.stringify({ ready: 'backoffice' })}\n`);
  await provisioning.run();
  await boss.stop({ graceful: false, wait: true });
  await pool.end();
  process.stdout.write(`${JSON.stringify({ stopped: 'backoffice', ...provisioning.counts })}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`back office ended: ${error instanceof Error ? error.name : 'unknown error'}\n`);
  process.exitCode = 1;
});
