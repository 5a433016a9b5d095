import type { RunMessage } from '../../engine/messages';
import type { Prng } from './prng';
import { STARTER } from './runbook';
import type { Run, Runs } from './runs';
import { reschedules } from './people';
import type { World } from './world/world';

const MINUTE_MS = 60_000;
export const EVERYBODY = [STARTER, 'sven', 'olga', 'otto', 'cara', 'vera', 'nobody'];

export interface Stage {
  runs: Runs;
  world: World;
  prng: Prng;
  say: (run: Run, message: RunMessage) => void;
  later: (ms: number, act: () => void) => void;
}

/** Things that happen at night, one at a time, at a moment the seed picks. */
export const MISCHIEF: Record<string, (stage: Stage, run: Run) => void> = {
  noGo: ({ prng, say }, run) => {
    const gate = Object.values(run.context.state.gates).find((candidate) =>
      ['open', 'held'].includes(candidate.status),
    );
    if (gate)
      say(run, { kind: 'vote', person: prng.pick(EVERYBODY), gate: gate.id, decision: 'no-go', reason: 'doubts' });
  },
  strangeVote: ({ prng, say }, run) => {
    const gate = prng.pick(Object.keys(run.context.state.gates));
    const digest = prng.chance(0.3) ? { digest: 'never shown' } : {};
    for (const person of EVERYBODY) say(run, { kind: 'vote', person, gate, decision: 'go', ...digest });
  },
  starterVotes: ({ say }, run) => {
    for (const gate of Object.keys(run.context.state.gates))
      say(run, { kind: 'vote', person: STARTER, gate, decision: 'go' });
  },
  wrongGo: ({ prng, say }, run) => {
    for (const step of Object.keys(run.context.state.steps))
      say(run, { kind: 'go', person: prng.pick(['vera', 'sven']), step });
  },
  notOk: ({ say }, run) => {
    for (const step of Object.values(run.context.state.steps))
      for (const item of step.items)
        for (const person of ['cara', 'olga'])
          say(run, { kind: 'recordCheck', person, step: step.id, item, ok: false, evidence: 'broken' });
  },
  highIncident: ({ say, prng }, run) =>
    say(run, { kind: 'raiseIncident', person: 'cara', incident: `i${prng.int(1, 3)}`, severity: 'high', title: 'x' }),
  lowIncident: ({ say, prng }, run) =>
    say(run, { kind: 'raiseIncident', person: 'cara', incident: `i${prng.int(1, 3)}`, severity: 'low', title: 'x' }),
  pause: ({ say }, run) => say(run, { kind: 'pause', person: STARTER, reason: 'wait' }),
  rollback: ({ say, prng }, run) =>
    say(run, { kind: 'requestRollback', person: prng.pick(['olga', 'vera', STARTER]), reason: 'enough' }),
  skip: ({ say, prng }, run) => {
    const step = prng.pick(Object.keys(run.context.state.steps));
    say(run, { kind: 'skipStep', person: STARTER, step, reason: 'not needed' });
  },
  retryAll: ({ say }, run) => {
    for (const step of Object.keys(run.context.state.steps)) say(run, { kind: 'retryStep', person: 'olga', step });
  },
  windowClosesEarly: ({ say, world, prng }, run) => {
    const from = world.clock.now - 60 * MINUTE_MS;
    for (const item of reschedules(run, from, prng.int(20, 180) * MINUTE_MS)) say(run, item.message);
  },
  windowMoves: ({ say, world, prng }, run) => {
    const items = reschedules(run, world.clock.now + prng.int(-2, 6) * 60 * MINUTE_MS, 6 * 60 * MINUTE_MS);
    for (const item of prng.chance(0.3) ? items.slice(1) : items) say(run, item.message);
  },
  sameIdTwice: ({ say, runs }, run) => {
    const id = `id-${runs.clock.events}`;
    say(run, { kind: 'pause', person: 'olga', reason: 'a', id });
    say(run, { kind: 'resume', person: 'olga' });
    say(run, { kind: 'pause', person: 'olga', reason: 'a', id });
  },
  measureRed: ({ world, prng, later }) => {
    const id = prng.pick([...world.measures.keys()]);
    world.measures.set(id, false);
    later(prng.int(1, 120) * MINUTE_MS, () => world.measures.set(id, true));
  },
  continueAsNew: (_, run) => {
    run.runtime.longHistory = true;
  },
  terminateCutover: ({ runs }) => {
    if (runs.cutover) runs.terminate(runs.cutover);
  },
  terminateWave: ({ runs, prng }) => {
    const open = [...runs.waves.values()].filter((wave) => wave.open);
    if (open.length > 0) runs.terminate(prng.pick(open));
  },
};

/** How often each happens, relative to the others. */
const WEIGHTS: Record<string, number> = { continueAsNew: 6, terminateCutover: 0.4, terminateWave: 0.4, rollback: 1.5 };

/** Something that is to happen at a publish of the run, counted from the first. */
export interface Happening {
  at: number;
  name: string;
}

/** Up to `most` of what `pick` draws, in the order of their time. */
export const happenings = (prng: Prng, most: number, pick: () => string): Happening[] =>
  Array.from({ length: prng.int(0, most) }, () => ({ at: prng.int(1, 160), name: pick() })).sort((a, b) => a.at - b.at);

export function pickMischief(prng: Prng): string {
  const names = Object.keys(MISCHIEF);
  const total = names.reduce((sum, name) => sum + (WEIGHTS[name] ?? 1), 0);
  let left = prng.next() * total;
  for (const name of names) {
    left -= WEIGHTS[name] ?? 1;
    if (left <= 0) return name;
  }
  return names[0] ?? '';
}
