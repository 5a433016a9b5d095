import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

export type Kind = 'insert' | 'append' | 'part' | 'delete' | 'move';

/** Written before the first statement of an operation. */
export interface Started {
  t: 'start';
  op: string;
  at: number;
  kind: Kind;
  side: 'source' | 'target';
  item: string;
  /** The owner the row has afterwards; for inserts and moves. */
  customer?: string;
}

/**
 * Written when the outcome is known. `refused`: rolled back for sure. `none`: the row was not there. `unknown`: the answer to
 * the commit was lost. An operation of a killed process has no such line and is unknown too.
 */
export interface Ended {
  t: 'end';
  op: string;
  at: number;
  outcome: 'done' | 'refused' | 'none' | 'unknown';
  /** The operations a deleted row held. */
  held?: string[];
}

/** An append-only file of one process. Written straight to the operating system, so a killed process loses nothing. */
export class Journal {
  private readonly file: number;

  constructor(path: string) {
    this.file = openSync(path, 'a');
  }

  write(line: Started | Ended): void {
    writeSync(this.file, `${JSON.stringify(line)}\n`);
  }

  close(): void {
    closeSync(this.file);
  }
}

export interface Operation extends Started {
  end: Ended | null;
}

/** Every operation of the files, by id. A last line cut short by a kill is the only one that may not parse. */
export function readJournals(paths: readonly string[]): Map<string, Operation> {
  const operations = new Map<string, Operation>();
  for (const path of paths) {
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    for (const text of lines) {
      const line = JSON.parse(text) as Started | Ended;
      if (line.t === 'start') {
        if (operations.has(line.op)) throw new Error(`operation ${line.op} started twice`);
        operations.set(line.op, { ...line, end: null });
      } else {
        const operation = operations.get(line.op);
        if (!operation) throw new Error(`operation ${line.op} ended without a start`);
        operation.end = line;
      }
    }
  }
  return operations;
}
