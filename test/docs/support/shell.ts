import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { findTemporalBinary } from '../../../local/temporal-binary';
import { isPending, waitUntil } from '../../support/wait-until';

const SETS = /^\w+(\(\)|=\S*$)/;
const LONGEST_MS = 120_000;

export interface Heard {
  code: number;
  text: string;
}

/** A person's terminal with the stock `temporal` binary: what a line sets is there for the lines after it. */
export class Shell {
  private readonly set: string[] = [];
  private readonly env: Record<string, string>;

  constructor(env: Record<string, string>) {
    const binary = findTemporalBinary({ env: process.env });
    if (binary === undefined) throw new Error('no temporal binary, although its server runs');
    this.env = { HOME: process.env['HOME'] ?? '/', ...env, PATH: `${dirname(binary)}:${process.env['PATH'] ?? ''}` };
  }

  run(command: string): Promise<Heard> {
    if (SETS.test(command)) {
      this.set.push(command);
      return Promise.resolve({ code: 0, text: '' });
    }
    return new Promise((resolve) => {
      const script = [...this.set, command].join('\n');
      execFile('bash', ['--norc', '-c', script], { env: this.env, timeout: LONGEST_MS }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, text: `${stdout}${stderr}` });
      });
    });
  }

  /** Runs it, again and again until what it says is as hoped. Throws with the last words when that does not happen. */
  async until(command: string, hoped: (heard: Heard) => boolean): Promise<Heard> {
    let last: Heard = { code: -1, text: 'not run' };
    const look = async (): Promise<boolean> => hoped((last = await this.run(command)));
    await waitUntil(look, LONGEST_MS).catch((error: unknown) => {
      throw isPending(error) ? new Error(`${command}\n${last.code}: ${last.text}`) : error;
    });
    return last;
  }
}
