import { delay } from '../traffic/wait';
import { readConfig, type PersonConfig } from './config';
import { actsFor, type Person } from './decide';
import { openEyes, type Eyes } from './look';
import { say } from './speak';

/** A refused or unheard act is tried again after this long, if it is still asked for. */
const AGAIN_MS = 8_000;

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

function patience(patienceMs: number): Person['lostPatience'] {
  const since = new Map<string, number>();
  return (gateKey, digest) => {
    const key = `${gateKey} ${digest}`;
    const first = since.get(key) ?? Date.now();
    since.set(key, first);
    return Date.now() - first >= patienceMs;
  };
}

/** Looks and acts until the run has ended or the process is told to stop. */
async function live(config: PersonConfig, person: Person, eyes: Eyes, signal: AbortSignal): Promise<string | null> {
  const tried = new Map<string, number>();
  while (!signal.aborted) {
    const status = await eyes.status();
    if (status?.outcome) return status.outcome;
    for (const act of status ? actsFor(person, status) : []) {
      if (signal.aborted || Date.now() - (tried.get(act.key) ?? 0) < AGAIN_MS) continue;
      const { ok, text } = await say(config.cutover, config.person, act, config.via, process.env);
      tried.set(act.key, Date.now());
      const { key: _, workflowId: __, ...shown } = act;
      print({ event: ok ? 'done' : 'refused', ...shown, ...(ok ? {} : { text }) });
    }
    await delay(config.everyMs, signal);
  }
  return null;
}

async function main(): Promise<void> {
  const config = readConfig(process.argv.slice(2));
  const stopping = new AbortController();
  process.once('SIGTERM', () => stopping.abort());
  process.once('SIGINT', () => stopping.abort());
  const eyes = await openEyes(config.cutover, process.env);
  try {
    const roles = config.roles ?? (await eyes.roles(config.person));
    const lostPatience = patience(config.patienceMs);
    const person: Person = { id: config.person, roles, noGo: config.noGo, votes: config.votes, lostPatience };
    print({ event: 'ready', person: config.person, roles, via: config.via });
    print({ event: 'stopped', outcome: await live(config, person, eyes, stopping.signal) });
  } finally {
    await eyes.close();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
