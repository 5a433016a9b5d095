import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { projectDir } from '../paths';
import { findTemporalBinary } from '../temporal-binary';
import type { Act } from './decide';

export interface Said {
  ok: boolean;
  /** What the command printed last when it was refused. */
  text: string;
}

const TIMEOUT_MS = 60_000;

/** The `cutover` command line for an act. */
export function cliArgs(cutover: string, person: string, act: Act): string[] {
  const about = ['--as', person, ...(act.wave === null ? [] : ['--wave', String(act.wave)])];
  switch (act.do) {
    case 'go':
      return ['go', cutover, act.step, ...about];
    case 'task':
      return ['task', cutover, act.step, ...about, '--note', 'done'];
    case 'check':
      return ['check-item', cutover, act.step, act.item, ...about, '--evidence', 'seen on the spot'];
    case 'vote':
      return ['vote', cutover, act.gate, act.decision, ...about, '--digest', act.digest, '--reason', act.reason];
  }
}

/** The stock `temporal` command line that votes by signal. */
export function signalArgs(person: string, act: Extract<Act, { do: 'vote' }>, env: NodeJS.ProcessEnv): string[] {
  const { gate, decision, reason, digest } = act;
  const input = JSON.stringify({ person, gate, decision, reason, digest });
  const where = env['TEMPORAL_ADDRESS'] === undefined ? [] : ['--address', env['TEMPORAL_ADDRESS']];
  const space = env['TEMPORAL_NAMESPACE'] === undefined ? [] : ['--namespace', env['TEMPORAL_NAMESPACE']];
  const to = ['--workflow-id', act.workflowId, '--name', 'goNoGo', '--input', input];
  return ['workflow', 'signal', ...to, ...where, ...space];
}

/** Does it, through `cutover` or, for votes by signal, through the `temporal` binary the stack uses. */
export function say(
  cutover: string,
  person: string,
  act: Act,
  via: 'cli' | 'signal',
  env: NodeJS.ProcessEnv,
): Promise<Said> {
  if (act.do === 'vote' && via === 'signal') {
    const binary = findTemporalBinary({ env });
    if (binary === undefined) return Promise.resolve({ ok: false, text: 'there is no temporal binary to signal with' });
    return run(binary, signalArgs(person, act, env), env);
  }
  const main = join(projectDir(), 'dist', 'cli', 'main.js');
  return run(process.execPath, [main, ...cliArgs(cutover, person, act)], env);
}

function run(file: string, args: string[], env: NodeJS.ProcessEnv): Promise<Said> {
  return new Promise((resolve) => {
    execFile(file, args, { env, timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      const text = `${stdout}\n${stderr}`.trim().split('\n').at(-1) ?? '';
      resolve({ ok: error === null, text });
    });
  });
}
