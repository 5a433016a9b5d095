import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Document } from 'yaml';
import { everyKind } from './every-kind';
import { Night } from './night';
import type { Script } from './people';
import type { Stage } from './stage';
import { Writer } from './writer';

export interface Scene {
  stage: Stage;
  night: Night;
  writer: Writer;
  /** Where the workers look for `heldFile`s and keep what broke. */
  breakDir: string;
}

export interface SceneOptions {
  customers: number;
  script?: Script;
  /** What is different in the runbook. */
  change?: (runbook: Document) => void;
  /** `activity:moment` at which a worker dies, once each. */
  breakAt?: string[];
}

let count = 0;

/** Starts workers, a writer and a cutover with every kind of step, plays `body`, and puts the writer away. */
export async function play(stage: Stage, options: SceneOptions, body: (scene: Scene) => Promise<void>): Promise<void> {
  const id = `night-${process.pid}-${(count += 1)}`;
  const breakDir = join(stage.dir, id);
  mkdirSync(breakDir, { recursive: true });
  const writer = new Writer(stage.env, options.customers);
  try {
    await stage.startWorkers({ BREAK_AT: (options.breakAt ?? []).join(','), BREAK_DIR: breakDir });
    const night = new Night(stage, id, options.script);
    writer.start();
    await night.start((runbook) => {
      everyKind(runbook);
      options.change?.(runbook);
    });
    await body({ stage, night, writer, breakDir });
  } finally {
    await writer.stop();
    await writer.close();
  }
}

/** What a run that went back must leave behind; empty when it did. `copyKept`: rows at the target may wait for the next run. */
export async function leftBehind({ stage, writer }: Scene, { copyKept = false } = {}): Promise<string[]> {
  await writer.stop();
  const source = stage.env['SOURCE_URL'] ?? '';
  const [copied] = await stage.query<{ rows: number }>(
    stage.env['TARGET_URL'] ?? '',
    'select ((select count(*) from shop.client) + (select count(*) from shop.memo))::int as rows',
  );
  const [jobs] = await stage.query<{ stopped: boolean }>(
    source,
    "select to_regclass('tiny.stopped') is not null as stopped",
  );
  const waves = await stage.query<{ wave: number; state: string }>(
    source,
    "select wave, state from cutover.wave where state <> 'open'",
  );
  const held = await stage.query<{ wave: number; custody: string; intake: string }>(
    stage.env['CONTROL_URL'] ?? '',
    "select wave, custody, intake from control.wave where custody <> 'source' or intake <> 'open'",
  );
  return [
    ...(await writer.audit('source')),
    ...(copyKept || copied?.rows === 0 ? [] : [`${copied?.rows} rows are still in the target`]),
    ...(jobs?.stopped ? ['the jobs are still stopped'] : []),
    ...waves.map(({ wave, state }) => `wave ${wave} is ${state} at the source`),
    ...held.map(({ wave, custody, intake }) => `routing of wave ${wave}: ${custody}, intake ${intake}`),
  ];
}
