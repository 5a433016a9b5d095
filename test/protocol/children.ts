/** The processes of a run: kept at their number, killed at random, told to stop at the end. */
import { fork, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildMessage } from './child';
import type { Random } from '../support/random';
import type { ChildConfig, Urls } from './world';

export type Role = 'writer' | 'mover';

interface Child {
  role: Role;
  process: ChildProcess;
  index: number;
  /** It said something: it is at work. */
  atWork: boolean;
}

const PATIENCE_MS = 20_000;

export class Children {
  readonly counts = new Map<string, number>();
  readonly broken: string[] = [];
  readonly journals: string[] = [];
  private readonly living = new Set<Child>();
  private nextIndex = 0;
  private ending = false;

  constructor(
    private readonly urls: Urls,
    private readonly dir: string,
    private readonly random: Random,
    private readonly writersEach: number,
  ) {}

  spawn(role: Role): void {
    const index = this.nextIndex++;
    const journal = join(this.dir, `journal-${index}.jsonl`);
    const config: ChildConfig = {
      urls: this.urls,
      seed: this.random.below(1_000_000_000),
      index,
      journal,
      writers: this.writersEach,
    };
    const child: Child = {
      role,
      index,
      atWork: false,
      process: fork(join(__dirname, `${role}.js`), [JSON.stringify(config)]),
    };
    if (role === 'writer') {
      // A process killed before its first line still has a journal: an empty one.
      writeFileSync(journal, '');
      this.journals.push(journal);
    }
    this.living.add(child);
    child.process.on('message', (message) => this.hear(child, message as ChildMessage));
    child.process.on('exit', (code, signal) => {
      this.living.delete(child);
      if (signal !== 'SIGKILL' && code !== 0)
        this.broken.push(`${role} ${index} ended by itself with ${signal ?? `code ${code}`}`);
      if (!this.ending) this.spawn(role);
    });
  }

  private hear(child: Child, message: ChildMessage): void {
    child.atWork = true;
    if ('broken' in message) this.broken.push(message.broken);
    else this.count(message.count);
  }

  count(event: string): void {
    this.counts.set(event, (this.counts.get(event) ?? 0) + 1);
  }

  /** False while a process has not begun: the load is not what it should be. */
  allAtWork(): boolean {
    return [...this.living].every((child) => child.atWork);
  }

  /** Kills one of them, without a word. Another takes its place. */
  killOne(): void {
    const role: Role = this.random.chance(0.6) ? 'mover' : 'writer';
    const victims = [...this.living].filter((child) => child.role === role);
    if (victims.length === 0) return;
    this.random.pick(victims).process.kill('SIGKILL');
    this.count(`killed-${role}`);
  }

  isLiving(index: number): boolean {
    return [...this.living].some((child) => child.index === index);
  }

  async end(): Promise<void> {
    this.ending = true;
    const all = [...this.living].map(({ process: child, role, index }) => {
      const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      // One that was killed just now cannot hear it, and ends all the same.
      if (child.connected) child.send('stop', () => undefined);
      const late = setTimeout(() => {
        this.broken.push(`${role} ${index} did not stop`);
        child.kill('SIGKILL');
      }, PATIENCE_MS);
      return exited.finally(() => clearTimeout(late));
    });
    await Promise.all(all);
  }
}
