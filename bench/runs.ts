import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Document } from 'yaml';
import type { RunView } from '../engine/view';
import { reachableTwin } from '../local/paths';
import { Night, TINY } from '../test/e2e/support/night';
import { Stage } from '../test/e2e/support/stage';
import { stuckRuns } from '../test/replay/replayed';
import { cutoverWorkflowId, waveWorkflowId } from '../workflows/names';
import { median, spreadOf, timed, type Line } from './measure';
import type { Setting } from './scenarios';

const VOTES = 60;
const USUAL_STEPS = 100;
const MANY_STEPS = 2_000;
const FEW_CUSTOMERS = 100;
const HOUR_MS = 3_600_000;
/** What was said twice would be refused, and each refusal is work. */
const UNHURRIED = { lookEveryMs: 1_000, answerWithinMs: 60_000 };
/** Waves that wait for each other on a full machine: a lease lasts longer than an activity waits for its turn. */
const PATIENT = { frozenAtMost: 'PT1H', heldAtMost: 'PT2H', lease: 'PT10M' };
/** What the issue asks for is run at this size or above; below it a tenth or less shows that everything works. */
const FULL_CUSTOMERS = 1_000_000;

/** The tiny runbook with `steps` automated steps and a gate before anything moves. */
const busy =
  (steps: number) =>
  (runbook: Document): void => {
    const action = (n: number): object => ({
      id: `act-${n}`,
      kind: 'action',
      system: 'source',
      do: 'select 1',
      undo: 'none',
    });
    runbook.setIn(
      ['before'],
      runbook.createNode([
        {
          phase: 'busy',
          owner: 'owner',
          steps: Array.from({ length: steps }, (_, n) => action(n)),
          gate: { id: 'ready', votes: ['owner', 'ops'], onNoGo: 'hold' },
        },
      ]),
    );
  };

const atReady = (view: RunView | null): boolean =>
  view?.gates.some((gate) => gate.id === 'ready' && gate.status === 'open' && gate.digest !== null) ?? false;

interface Busy {
  steps: number;
  /** From the first step's start to the last one's end, for each step; ms. */
  step: number;
  votes: number[];
  /** What the statement of such a step takes with its connection; ms. */
  work: number;
  outcome: string;
  ms: number;
}

/** One cutover with `steps` automated steps, then votes at its gate, then on to its end. */
async function playBusy(stage: Stage, steps: number, say: Setting['say']): Promise<Busy> {
  await stage.freshDatabases(FEW_CUSTOMERS);
  await stage.start(`worker-${steps}`, 'workers/main.js', { ready: /"ready":true/ });
  const script: { leave: string[] } = { leave: ['ready'] };
  const night = new Night(stage, `busy-${steps}`, script);
  const { ms, result } = await timed(async () => {
    await night.start(busy(steps));
    const ready = await night.play(HOUR_MS, ({ cutover }) => atReady(cutover));
    const acts = ready?.steps.filter(({ id }) => id.startsWith('act-')) ?? [];
    const [from, to] = [acts[0]?.startedAt ?? 0, acts.at(-1)?.endedAt ?? 0];
    const work: number[] = [];
    for (let n = 0; n < VOTES; n++)
      work.push((await timed(() => stage.query(stage.env['SOURCE_URL'] ?? '', 'select 1'))).ms);
    const votes: number[] = [];
    for (let n = 0; n < VOTES; n++) {
      const vote = { person: 'ben', gate: 'ready', decision: 'go' } as const;
      const { ms, result } = await timed(() => night.send(null, 'castVote', vote));
      if (!result.accepted) throw new Error(`a vote was refused: ${result.reason ?? ''}`);
      votes.push(ms);
    }
    script.leave = [];
    const over = await night.play(HOUR_MS);
    return { step: (to - from) / steps, votes, work: median(work), outcome: over?.outcome ?? 'none' };
  });
  await stage.stopChildren();
  say(
    `${steps} steps in ${Math.round(ms)} ms, ${result.outcome}; a step ${result.step.toFixed(1)} ms, a vote ${median(result.votes).toFixed(1)} ms`,
  );
  return { steps, ...result, ms };
}

const costLines = ({ steps, step, votes, work }: Busy): Line[] => [
  {
    scenario: 'runs',
    what: 'castVote, from sending it to its answer',
    value: median(votes),
    spread: spreadOf(votes),
    unit: 'ms',
    bar: { atMost: 25 },
    figures: `${VOTES} accepted votes at one gate; the runbook has ${steps} steps and more`,
  },
  {
    scenario: 'runs',
    what: 'an automated step (an action, its undo row and its record), beyond its work',
    value: Math.max(0, step - work),
    unit: 'ms',
    bar: { atMost: 60 },
    figures: `${steps} steps one after the other, ${step.toFixed(1)} ms each; the statement itself with its connection ${work.toFixed(1)} ms`,
  },
];

const endLine = ({ steps, step, votes, outcome, ms }: Busy): Line => ({
  scenario: 'runs',
  what: `a runbook of ${steps.toLocaleString('en')} steps comes to its end`,
  value: outcome === 'live' ? 1 : 0,
  unit: 'runs',
  bar: { atLeast: 1 },
  figures: `${outcome} after ${Math.round(ms / 1_000)} s; a step ${step.toFixed(1)} ms, a vote ${median(votes).toFixed(1)} ms`,
});

/** Whole cutovers side by side on one worker, each with databases of its own. */
async function manyAtOnce(stage: Stage, count: number): Promise<Line[]> {
  await stage.freshDatabases(FEW_CUSTOMERS);
  const names = Array.from({ length: count }, (_, n) => n);
  for (const variable of ['SOURCE_URL', 'TARGET_URL']) {
    const url = stage.env[variable] ?? '';
    const template = new URL(url).pathname.slice(1);
    for (const n of names) {
      await stage.query('postgres', `create database ${template}_${n} template ${template} strategy file_copy`);
      stage.env[`${variable}_${n}`] = `${url}_${n}`;
    }
  }
  const worker = await stage.start('worker-of-many', 'workers/main.js', { ready: /"ready":true/ });
  const { ms, result } = await timed(() =>
    Promise.all(
      names.map(async (n) => {
        const night = new Night(stage, `many-${n}`, {}, TINY, UNHURRIED);
        await night.start((runbook) => {
          runbook.setIn(['systems', 'source', 'urlEnv'], `SOURCE_URL_${n}`);
          runbook.setIn(['systems', 'target', 'urlEnv'], `TARGET_URL_${n}`);
          runbook.setIn(['limits'], runbook.createNode(PATIENT));
        });
        return endOf(await night.play(HOUR_MS));
      }),
    ),
  );
  const peak = peakMb(worker.pid);
  await stage.stopChildren();
  const runs = names.flatMap((n) => {
    const id = cutoverWorkflowId('tiny', `many-${n}`);
    return [id, waveWorkflowId(id, 1)];
  });
  const { replayed, stuck } = await stuckRuns(historiesOf(stage, runs));
  const ended: Line = {
    scenario: 'runs',
    what: `${count} cutovers at once on one worker come to their end`,
    value: result.filter((end) => end === 'live').length,
    unit: 'runs',
    bar: { atLeast: count },
    figures: `${talliedBy(result)}; ${Math.round(ms / 1_000)} s in all; the worker held at most ${peak?.toFixed(0) ?? 'an unknown number of'} MB`,
  };
  const whole: Line = {
    scenario: 'runs',
    what: 'of their runs, cutovers and waves, those that replay',
    value: replayed - stuck.length,
    unit: 'runs',
    bar: { atLeast: runs.length },
    figures: stuck[0] ?? `${runs.length} histories`,
  };
  return [ended, whole];
}

/** How a cutover ended, and why when it went back. */
function endOf(view: RunView | null): string {
  const why = [view?.rollback, ...(view?.waves ?? []).map((wave) => wave.rollback)].find((request) => request);
  return [view?.outcome ?? 'none', ...(why ? [why.reason] : [])].join(': ');
}

const talliedBy = (ends: readonly string[]): string =>
  [...new Set(ends)].map((end) => `${ends.filter((each) => each === end).length} ${end}`).join(', ');

async function* historiesOf(stage: Stage, workflowIds: readonly string[]) {
  for (const workflowId of workflowIds)
    yield { workflowId, history: await stage.temporal.client.workflow.getHandle(workflowId).fetchHistory() };
}

/** The most memory a process held so far; null where the system does not say. */
function peakMb(pid: number): number | null {
  if (process.platform !== 'linux') return null;
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return found === undefined ? null : Number(found) / 1_024;
}

/** One worker's memory over a whole night of `customers` customers. */
async function memoryOf(stage: Stage, customers: number): Promise<number | null> {
  await stage.freshDatabases(customers);
  const worker = await stage.start(`worker-${customers}`, 'workers/main.js', { ready: /"ready":true/ });
  const night = new Night(stage, `night-${customers}`);
  await night.start((runbook) => runbook.setIn(['perWave', 0, 'steps', 0, 'chunkRows'], 10_000));
  const outcome = (await night.play(HOUR_MS))?.outcome;
  if (outcome !== 'live') throw new Error(`the night of ${customers} customers was ${outcome ?? 'not over'}`);
  const peak = peakMb(worker.pid);
  await stage.stopChildren();
  return peak;
}

async function memory(stage: Stage, customers: number, say: Setting['say']): Promise<Line[]> {
  const sizes = [Math.ceil(customers / 10), customers];
  const peaks: (number | null)[] = [];
  for (const size of sizes) {
    peaks.push(await memoryOf(stage, size));
    say(`${size} customers: the worker held at most ${peaks.at(-1)?.toFixed(0) ?? 'unknown'} MB`);
  }
  const [small, large] = peaks;
  const shown = sizes
    .map((size, at) => `${size.toLocaleString('en')} customers ${peaks[at]?.toFixed(0) ?? 'unknown'} MB`)
    .join(', ');
  const what = 'peak memory of a worker over a whole night, three notes a customer';
  return [
    { scenario: 'memory', what, value: large ?? null, unit: 'MB', bar: { atMost: 400 }, figures: shown },
    {
      scenario: 'memory',
      what: 'the same, the larger population ÷ the smaller',
      value: small && large ? large / small : null,
      unit: 'x',
      bar: { atMost: 1.1 },
      figures: shown,
    },
  ];
}

async function onStage<T>(body: (stage: Stage) => Promise<T>): Promise<T> {
  const stage = await Stage.open('bench');
  try {
    return await body(stage);
  } finally {
    await stage.close();
    rmSync(reachableTwin(join(stage.dir, 'postgres')), { recursive: true, force: true });
    rmSync(dirname(stage.dir), { recursive: true, force: true });
  }
}

const isFull = ({ customers }: Setting): boolean => customers >= FULL_CUSTOMERS;

/** What a run costs beside its work, and how long a run may be. */
export const runs = (setting: Setting): Promise<Line[]> =>
  onStage(async (stage) => {
    const usual = await playBusy(stage, USUAL_STEPS, setting.say);
    const long = isFull(setting) ? await playBusy(stage, MANY_STEPS, setting.say) : usual;
    return [...costLines(usual), endLine(long)];
  });

export const many = (setting: Setting): Promise<Line[]> =>
  onStage(async (stage) => manyAtOnce(stage, isFull(setting) ? 200 : 10));

export const memories = (setting: Setting): Promise<Line[]> =>
  onStage((stage) => memory(stage, setting.customers, setting.say));
