import { readConfig } from './config';
import { startTraffic } from './traffic';

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

async function main(): Promise<void> {
  const config = readConfig(process.argv.slice(2), process.env);
  const traffic = await startTraffic(config);
  print({ event: 'ready', rate: config.rate, journal: config.journal });
  const status = setInterval(() => {
    const { operations, perSecond, held, refused, unknown, fewest, bornAtTarget } = traffic.summary();
    print({ event: 'status', operations, perSecond, held, refused, unknown, fewest, bornAtTarget });
  }, 1_000);
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  try {
    await Promise.race([stopped, traffic.failed]);
  } finally {
    clearInterval(status);
  }
  print({ event: 'stopped', ...(await traffic.stop()) });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
