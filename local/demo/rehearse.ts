import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReportJson } from '../../cli/report/report-json';
import type { Stack } from '../stack';
import { withClient } from '../with-client';
import { Cast } from './cast';
import { writeDocuments } from './documents';
import { playNight, type Scene } from './night';
import { runProgram } from './run-program';

/** Divides what people wait for. */
const PACE = 60;

const SUFFIX = '_rehearsal';

/**
 * The same systems as databases of their own on the same servers: source and target copied, control empty. Nobody may be
 * connected to source and target. The rehearsal's runs stand beside the real ones in Temporal and have ended before those begin.
 */
async function copyStack(stack: Stack): Promise<Stack> {
  const copies = { SOURCE_URL: true, TARGET_URL: true, CONTROL_URL: false };
  const env = { ...stack.env };
  for (const [name, filled] of Object.entries(copies)) {
    const url = stack.env[name] ?? '';
    const database = new URL(url).pathname.slice(1);
    const copy = `${database}${SUFFIX}`;
    await withClient(new URL('/postgres', url).href, async (client) => {
      const template = filled ? ` template ${client.escapeIdentifier(database)}` : '';
      await client.query(`create database ${client.escapeIdentifier(copy)}${template}`);
    });
    env[name] = new URL(`/${copy}`, url).href;
  }
  const dir = join(stack.dir, 'rehearsal');
  mkdirSync(dir, { recursive: true });
  return { ...stack, env, dir };
}

export interface Rehearsed {
  held: boolean;
  /** Writes what was measured into a plan. */
  propose: (plan: string) => Promise<void>;
}

/** Rehearses the night on copies at pace 60, and judges it by the same promises, but for the load. */
export async function rehearse(scene: Omit<Scene, 'cast' | 'documents' | 'thorough'>): Promise<Rehearsed> {
  const stack = await copyStack(scene.stack);
  const cast = new Cast(stack, {});
  const id = `${scene.id}-rehearsal`;
  try {
    const documents = writeDocuments(join(stack.dir, 'documents'), new Date(), PACE);
    scene.say(`Rehearsing at pace ${PACE} on copies of both systems.`);
    const { held } = await playNight({ ...scene, id, stack, cast, documents, thorough: false });
    return {
      held,
      propose: async (plan) => void (await runProgram(stack, 'cli/main.js', ['durations', id, '--into', plan])),
    };
  } finally {
    await cast.stopAll();
  }
}

/** How far the plan that the rehearsal proposed was off, in words. */
export function forecastLine(reportFile: string): string {
  const { forecast } = JSON.parse(readFileSync(reportFile, 'utf8')) as Pick<ReportJson, 'forecast'>;
  const seconds = (value: number): string => `${value.toFixed(1)} s`;
  const frozen = forecast.frozen.map(
    ({ wave, plannedSeconds, actualSeconds }) =>
      `; frozen in ${wave}: ${seconds(plannedSeconds)} forecast, ${seconds(actualSeconds)} taken`,
  );
  const off = forecast.error === null ? 'nothing measured' : `step by step ${Math.round(forecast.error * 100)} % off`;
  return `Forecast by the rehearsal: work of machines ${seconds(forecast.plannedSeconds)}, taken ${seconds(forecast.actualSeconds)}, ${off}${frozen.join('')}`;
}
