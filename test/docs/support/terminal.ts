import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { projectDir } from '../../../local/paths';
import { isPending, waitUntil } from '../../support/wait-until';
import type { Heard } from './shell';

const LONGEST_MS = 120_000;
/** The shell may tell of a job that has ended after it. */
const DONE = /::done (\d+)::\n/;

/** A terminal that stays open: functions, exported variables and jobs of one line are there for the next. In the project's folder. */
export class Terminal {
  private readonly shell: ChildProcessWithoutNullStreams;
  private heard = '';

  constructor(env: Record<string, string>) {
    this.shell = spawn('bash', ['--norc'], { env, cwd: projectDir(), stdio: 'pipe' });
    this.shell.stdout.on('data', (chunk: Buffer) => void (this.heard += chunk.toString()));
    // One stream, so that what is heard is in order; and jobs get a process group each, as at a prompt.
    this.shell.stdin.write('exec 2>&1; set -m\n');
  }

  async run(command: string): Promise<Heard> {
    this.heard = '';
    this.shell.stdin.write(`${command}\necho "::done $?::"\n`);
    await waitUntil(() => DONE.test(this.heard), LONGEST_MS).catch((error: unknown) => {
      throw isPending(error) ? new Error(`${command} does not end:\n${this.heard}`) : error;
    });
    return { code: Number(DONE.exec(this.heard)?.[1]), text: this.heard.replace(DONE, '') };
  }

  /** Types it again and again until what it says is as hoped. Throws with the last words when that does not happen. */
  async until(command: string, hoped: (heard: Heard) => boolean): Promise<Heard> {
    let last: Heard = { code: -1, text: 'not run' };
    await waitUntil(async () => hoped((last = await this.run(command))), LONGEST_MS).catch((error: unknown) => {
      throw isPending(error) ? new Error(`${command}\n${last.code}: ${last.text}`) : error;
    });
    return last;
  }

  /** Ends its jobs and then itself. */
  async close(): Promise<void> {
    const exited = once(this.shell, 'exit');
    this.shell.stdin.end('for job in $(jobs -p); do kill -- -$job; done; wait; exit\n');
    await exited;
  }
}
