import { createServer, type Server } from 'node:http';
import { Pool } from 'pg';
import { z } from 'zod';

const JOB = 'arrears';
const EVERY_MS = 1_000;

/** Counts what is overdue, bill by bill: a job that must not run while bills are on the move. */
const RUN_JOB = `
  insert into legacy.job_run (name, overdue)
  select j.name, (select count(*) from legacy.invoice i where i.state = 'open' and i.due_on < to_char(now(), 'YYYY-MM-DD'))
  from legacy.job j where j.name = $1 and j.enabled`;

/** The nightly jobs of the legacy system. Whether they may run is a row, so it outlives this process. */
class Scheduler {
  private run: Promise<unknown> = Promise.resolve();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly pool: Pool,
    report: (text: string) => void,
  ) {
    let busy = false;
    this.timer = setInterval(() => {
      if (busy) return;
      busy = true;
      this.run = this.pool
        .query(RUN_JOB, [JOB])
        .catch(() => report('scheduler: the job failed and will run again'))
        .finally(() => (busy = false));
    }, EVERY_MS);
  }

  /**
   * After `enable(false)` returns, no run is under way. Doing it again changes nothing, and a call under a key that was
   * answered before does nothing: it is late.
   */
  async enable(enabled: boolean, key: string | undefined): Promise<void> {
    await this.pool.query(
      `with fresh as (insert into legacy.job_call (key) select coalesce($3, gen_random_uuid()::text) on conflict do nothing returning key)
       update legacy.job set enabled = $2 where name = $1 and exists (select from fresh)`,
      [JOB, enabled, key ?? null],
    );
    await this.run;
  }

  async enabled(): Promise<boolean> {
    const { rows } = await this.pool.query<{ enabled: boolean }>('select enabled from legacy.job where name = $1', [
      JOB,
    ]);
    if (!rows[0]) throw new Error(`There is no job ${JOB}`);
    return rows[0].enabled;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.run;
    await this.pool.end();
  }
}

/** POST /stop and /start; GET /stopped and /running answer 200 when it is so, 409 when it is not. */
function serve(scheduler: Scheduler): Server {
  const answer = async (call: string, key: string | undefined): Promise<[number, object]> => {
    if (call === 'POST /stop' || call === 'POST /start') await scheduler.enable(call === 'POST /start', key);
    else if (call !== 'GET /stopped' && call !== 'GET /running') return [404, { error: `no ${call}` }];
    const running = await scheduler.enabled();
    const holds = call.startsWith('POST') || (call === 'GET /running') === running;
    return [holds ? 200 : 409, { job: JOB, running }];
  };
  return createServer((request, response) => {
    request.resume();
    const key = request.headers['idempotency-key'];
    answer(`${request.method} ${request.url}`, typeof key === 'string' ? key : undefined)
      .catch((): [number, object] => [503, { error: 'the database cannot be reached' }])
      .then(([status, body]) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      )
      .catch(() => response.destroy());
  });
}

/** Entry point. SCHEDULER_PORT 0 takes a free port; the ready line tells the URL. Listens on loopback. */
async function main(): Promise<void> {
  const env = z
    .object({ SOURCE_URL: z.string().min(1), SCHEDULER_PORT: z.coerce.number().int().default(0) })
    .parse(process.env);
  const report = (text: string): void => void process.stderr.write(`${text}\n`);
  const pool = new Pool({ connectionString: env.SOURCE_URL, max: 2, application_name: 'legacy-scheduler' });
  pool.on('error', () => report('scheduler: a connection was lost'));
  const scheduler = new Scheduler(pool, report);
  await scheduler.enabled();
  const server = serve(scheduler);
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(env.SCHEDULER_PORT, '127.0.0.1', resolve),
  );
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : env.SCHEDULER_PORT;
  process.stdout.write(`${JSON.stringify({ ready: 'scheduler', url: `http://127.0.0.1:${port}` })}\n`);
  const stop = (): void => {
    server.close(() => void scheduler.close());
    server.closeAllConnections();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(`scheduler ended: ${error instanceof Error ? error.name : 'unknown error'}\n`);
  process.exit(1);
});
