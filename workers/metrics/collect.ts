import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey, type MetricMeter } from '@temporalio/common';
import type { Logger } from 'pino';
import type { World } from '../../activities/world';
import { listCutovers } from '../../systems/control/cutovers';
import { heldByWave } from '../../systems/control/measures';
import { lag, readPosition } from '../../systems/postgres/data/position';
import { frozenSeconds } from '../../systems/postgres/frozen';
import { WORKFLOWS } from '../../workflows/names';
import { subjectOfRun } from '../log-fields';
import { nameOf } from '../logger';
import { Gauges, type Labels, type Reading } from './gauges';

const EVERY_MS = 5_000;

const PHASE = defineSearchAttributeKey('CutoverPhase', 'KEYWORD');
const GATE = defineSearchAttributeKey('CutoverGate', 'KEYWORD');
const STATUS = defineSearchAttributeKey('CutoverStatus', 'KEYWORD');

export interface CollectorParts {
  meter: MetricMeter;
  client: Client;
  world: World;
  logger: Logger;
}

const labelsOf = (cutover: string, wave: number | null): Labels => ({
  cutover,
  wave: wave === null ? '' : String(wave),
});

/**
 * Reads, every few seconds, what the open cutovers look like from outside (runs from Temporal, requests from `control`, freeze and
 * lag from the systems) and shows it beside the SDK's metrics. Each worker does so, so each shows the same, whichever runs
 * what; a step that hangs shows as well. Resolves when `stop` is aborted.
 */
export async function collectMetrics(parts: CollectorParts, stop: AbortSignal): Promise<void> {
  const gauges = new Gauges(parts.meter);
  while (!stop.aborted) {
    await collectOnce(parts, gauges).catch((error: unknown) => complain(parts.logger, error, {}));
    await pause(EVERY_MS, undefined, { signal: stop }).catch(() => undefined);
  }
}

async function collectOnce({ client, world, logger }: CollectorParts, gauges: Gauges): Promise<void> {
  const readings = await readRuns(client);
  const open = (await listCutovers(world.control)).filter(({ outcome }) => outcome === null);
  const unread = new Set<string>();
  for (const { cutover } of open) {
    try {
      readings.push(...(await readCutover(world, cutover)));
    } catch (error) {
      unread.add(cutover);
      complain(logger, error, { cutover });
    }
  }
  gauges.show(readings, ({ cutover = '' }) => unread.has(cutover));
}

/** Phase, status and open gate of each run, as its search attributes say. */
async function readRuns(client: Client): Promise<Reading[]> {
  const readings: Reading[] = [];
  const query = `ExecutionStatus = 'Running' AND WorkflowType IN ('${WORKFLOWS.cutover}', '${WORKFLOWS.wave}')`;
  for await (const { workflowId, typedSearchAttributes: found } of client.workflow.list({ query })) {
    const { cutover, wave = null } = subjectOfRun(workflowId);
    const phase = found.get(PHASE);
    if (cutover === undefined || phase === undefined) continue; // it has not begun
    const labels = labelsOf(cutover, wave);
    const open = (found.get(GATE) ?? 'none') === 'none' ? 0 : 1;
    readings.push(
      { name: 'cutover_phase', value: 1, labels: { ...labels, phase } },
      { name: 'cutover_status', value: 1, labels: { ...labels, status: found.get(STATUS) ?? '' } },
      { name: 'cutover_open_gates', value: open, labels },
    );
  }
  return readings;
}

async function readCutover(world: World, cutover: string): Promise<Reading[]> {
  const { pair } = await world.of(cutover);
  const frozen = await frozenSeconds(pair.source);
  const readings: Reading[] = [];
  for (const { wave, held, custody } of await heldByWave(world.control, cutover)) {
    const labels = labelsOf(cutover, wave);
    const position = custody === 'target' ? null : await readPosition(pair.target, wave);
    const lagRows = position === null ? 0 : await lag(pair, wave, position);
    readings.push(
      { name: 'cutover_held_requests', value: held, labels },
      { name: 'cutover_frozen_seconds', value: frozen.get(wave) ?? 0, labels },
      { name: 'cutover_lag_rows', value: lagRows, labels },
    );
  }
  const readAt = { name: 'cutover_metrics_read_timestamp_seconds', value: Date.now() / 1_000 } as const;
  return [...readings, { ...readAt, labels: { cutover } }];
}

/** An unreadable figure stops no cutover: it stays as it was, and its age shows. */
function complain(logger: Logger, error: unknown, about: object): void {
  logger.warn({ ...about, error: nameOf(error) }, 'metrics could not be read');
}
