import { pino } from 'pino';
import { readConfig } from './config';
import { startGateway } from './server';

/** The gateway's process: configuration from the environment, one ready line on stdout, logs on stderr. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = pino({ name: 'gateway', base: { pid: process.pid, cutover: config.cutover } }, pino.destination(2));
  const gateway = await startGateway(config, (error) =>
    log.warn({ err: safe(error) }, 'a request was answered with 503'),
  );
  process.stdout.write(
    `${JSON.stringify({ ready: true, url: gateway.url, cutover: config.cutover, pid: process.pid })}\n`,
  );
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void gateway.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

/** PostgreSQL's detail and where lines hold values of rows; the class, the code and the stack do not. */
function safe(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = 'code' in error ? String(error.code) : undefined;
  return { type: error.name, ...(code === undefined ? { message: error.message } : { code }) };
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : 'the gateway cannot start'}\n`);
  process.exit(1);
});
