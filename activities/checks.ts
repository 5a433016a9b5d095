import type { EvidenceItem } from '../domain/evidence';
import type { Activities, EffectRef, VerifyResult } from '../engine/contract';
import type { Measure } from '../runbooks/schema/runbook';
import { durationMs } from '../runbooks/schema/common';
import { feltMeasures } from '../systems/control/measures';
import { unknownForwards } from '../systems/control/intake';
import { saveResult } from '../systems/control/results';
import { countMembers, readWave } from '../systems/control/routing';
import { census } from '../systems/postgres/data/census';
import { readPairOfNumbers } from '../systems/postgres/data/numbers';
import { countWave } from '../systems/postgres/data/purge';
import { verifyWave } from '../systems/postgres/data/verify';
import { SystemFault } from '../systems/ports';
import { beating, staleEpoch, type Beat } from './attempt';
import { integrityItems } from './integrity';
import { waveOf } from './wave-of';
import type { CutoverWorld, World } from './world';

type CheckActivities = Pick<Activities, 'readMeasures' | 'verify' | 'verifyReturned'>;

/** What proves that things are as they should be. */
export function checkActivities(world: World): CheckActivities {
  return {
    readMeasures: ({ cutover, wave, gate, downtimeMs }) =>
      beating((beat) => readMeasures(world, { cutover, wave, gate, downtimeMs }, beat)),
    verify: ({ ref, scope, totals }) => beating((beat) => verify(world, ref, scope, totals, beat)),
    verifyReturned: ({ ref, copyKept = false }) => beating(() => verifyReturned(world, ref, copyKept)),
  };
}

async function verify(
  world: World,
  ref: EffectRef,
  scope: 'live' | 'frozen',
  totals: string[],
  beat: Beat,
): Promise<VerifyResult> {
  const { pair, documents, compiled } = await world.of(ref.cutover);
  const wanted = totals.map((id) => ({
    id,
    ...(documents.runbook.totals[id] ?? { source: 'select 0', target: 'select 1' }),
  }));
  const options = { scope, totals: wanted, ended: beat.ended };
  const result = await verifyWave(pair, await compiled(), waveOf(ref), ref.epoch, options);
  beat.check();
  if ('outcome' in result) throw staleEpoch(`verification of wave ${waveOf(ref)}`);
  const { findings, ...summary } = result;
  await saveResult(world.control, { ...ref, kind: 'verification', result: { ...summary, scope, findings } });
  return summary;
}

async function verifyReturned(
  world: World,
  ref: EffectRef,
  copyKept: boolean,
): Promise<{ ok: boolean; findings: string[] }> {
  const { custody, pair, compiled } = await world.of(ref.cutover);
  const wave = waveOf(ref);
  const [source, target, routing] = await Promise.all([
    custody.source.wave(wave),
    custody.target.wave(wave),
    readWave(world.control, ref.cutover, wave),
  ]);
  const left = copyKept ? 0 : await countWave(pair, await compiled(), wave);
  // What is on its way to the source now is ordinary traffic: the intake is open again.
  const sent = await unknownForwards(world.control, { cutover: ref.cutover, wave });
  const waiting = sent.filter(({ side }) => side === 'target');
  const findings = [
    ...(source.state === 'open' ? [] : [`the source says ${source.state}`]),
    ...(target.state === 'sealed' ? [] : [`the target says ${target.state}`]),
    ...(routing.custody === 'source' ? [] : [`routing says ${routing.custody}`]),
    ...(routing.intake === 'open' ? [] : ['the intake is still held']),
    ...(left === 0 ? [] : [`${left} rows of the wave are still in the target`]),
    ...(waiting.length === 0 ? [] : [`${waiting.length} requests to the target have no known outcome`]),
  ];
  await saveResult(world.control, { ...ref, kind: 'returned', result: { findings } });
  return { ok: findings.length === 0, findings };
}

interface Scope {
  cutover: string;
  wave: number | null;
  gate: string;
  downtimeMs: number | null;
}

/** The gate's success measures, read now. The verdict is hashed, not the figure: figures move while customers live. */
async function readMeasures(world: World, scope: Scope, beat: Beat): Promise<EvidenceItem[]> {
  const cutover = await world.of(scope.cutover);
  const { success } = cutover.documents.runbook;
  const items: EvidenceItem[] = [];
  for (const measure of success.filter((candidate) => candidate.at.includes(scope.gate)))
    items.push(await readMeasure(world, cutover, measure, scope).catch((error: unknown) => unreadable(measure, error)));
  items.push(...(await integrityItems(cutover.pair)));
  beat.check(); // nobody waits for one that is cancelled
  await saveResult(world.control, {
    cutover: scope.cutover,
    wave: scope.wave,
    step: scope.gate,
    occurrence: 1,
    kind: 'measures',
    result: items,
  });
  return items;
}

/** A measure that cannot be read is red and named; what is only out of reach now is tried again. */
function unreadable(measure: Measure, error: unknown): EvidenceItem {
  if (!(error instanceof SystemFault) || error.retryable) throw error;
  return { ...itemOf(measure, false, `cannot be read: ${error.message}`), fingerprint: 'unreadable' };
}

async function readMeasure(world: World, cutover: CutoverWorld, measure: Measure, scope: Scope): Promise<EvidenceItem> {
  if ('sql' in measure) {
    const { source, target, difference } = await readPairOfNumbers(
      cutover.pair,
      measure.sql.source,
      measure.sql.target,
      scope.wave,
    );
    const ok = difference <= measure.differenceAtMost;
    return itemOf(measure, ok, `source ${source}, target ${target}; may differ by ${measure.differenceAtMost}`);
  }
  const read = await readBuiltin(world, cutover, measure.builtin, scope);
  const [value, limit, ok] =
    measure.shareAtMost !== undefined
      ? [
          read.count / Math.max(1, read.of),
          `at most ${measure.shareAtMost}`,
          read.count / Math.max(1, read.of) <= measure.shareAtMost,
        ]
      : measure.atLeast !== undefined
        ? [read.value, `at least ${measure.atLeast}`, read.value >= measure.atLeast]
        : [read.value, `at most ${measure.atMost ?? 0}`, read.value <= (measure.atMost ?? 0)];
  return itemOf(measure, ok, `${Number(value.toFixed(4))}; ${limit}`);
}

const itemOf = (measure: Measure, ok: boolean, shown: string): EvidenceItem => ({
  id: measure.id,
  kind: 'measure',
  verdict: ok ? 'pass' : 'fail',
  fingerprint: ok ? 'met' : 'missed',
  title: measure.title ?? measure.id,
  shown,
});

type Builtin = Extract<Measure, { builtin: string }>['builtin'];

/** `value` for thresholds in its own unit (seconds, count, share), `count` of `of` for shares. */
async function readBuiltin(
  world: World,
  cutover: CutoverWorld,
  builtin: Builtin,
  scope: Scope,
): Promise<{ value: number; count: number; of: number }> {
  const { documents, pair } = cutover;
  const heldAtMostMs = durationMs(documents.runbook.limits.heldAtMost);
  switch (builtin) {
    case 'downtime':
      return plain((scope.downtimeMs ?? 0) / 1_000);
    case 'longestHold':
      return plain((await feltMeasures(world.control, { ...scope, heldAtMostMs })).longestHoldMs / 1_000);
    case 'refusedWrites':
      return plain((await feltMeasures(world.control, { ...scope, heldAtMostMs })).refusedWrites);
    case 'customersDisturbed':
    case 'customersExcluded':
    case 'shareMoved': {
      const counted = await census(pair, documents.runbook.population);
      const all = counted.baseline + counted.won;
      if (builtin === 'shareMoved')
        return {
          value: counted.moved / Math.max(1, all - counted.departed),
          count: counted.moved,
          of: all - counted.departed,
        };
      if (builtin === 'customersExcluded') return { value: counted.excluded, count: counted.excluded, of: all };
      const count = (await feltMeasures(world.control, { ...scope, heldAtMostMs })).customersDisturbed;
      // A small wave whose every customer was disturbed must not look like a small share of everybody.
      const of = scope.wave === null ? all : await countMembers(world.control, scope.cutover, scope.wave);
      return { value: count, count, of };
    }
  }
}

const plain = (value: number): { value: number; count: number; of: number } => ({ value, count: value, of: 1 });
