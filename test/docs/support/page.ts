import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectDir } from '../../../local/paths';

/** Commands of one fenced block, in order; continued lines are one command. */
export type Block = string[];

const HEADING = /^##+ (.*)$/;
const FENCE = '```';

/** A page of `docs/` by its headings: the `sh` blocks below each. Throws when it is asked for a heading there is not. */
export class Page {
  private readonly sections = new Map<string, Block[]>();
  readonly text: string;

  constructor(file: string) {
    this.text = readFileSync(join(projectDir(), 'docs', file), 'utf8');
    let blocks: Block[] = [];
    let open: string[] | null = null;
    for (const line of this.text.split('\n')) {
      const heading = open === null ? HEADING.exec(line)?.[1] : undefined;
      if (heading !== undefined) this.sections.set(heading, (blocks = []));
      if (line.startsWith(FENCE)) {
        if (open !== null && open[0] === `${FENCE}sh`) blocks.push(commandsOf(open.slice(1)));
        open = open === null ? [line] : null;
      } else open?.push(line);
    }
  }

  get headings(): string[] {
    return [...this.sections.keys()];
  }

  blocks(heading: string): Block[] {
    const found = this.sections.get(heading);
    if (!found) throw new Error(`no section ${heading}; sections: ${this.headings.join(', ')}`);
    return found;
  }

  /** Rows of the table below a heading, cells without their code marks; the first two rows (its head) left out. */
  table(heading: string): string[][] {
    const after = this.text.slice(this.text.indexOf(`## ${heading}`));
    const lines = after.split('\n').filter((line) => line.startsWith('|'));
    return lines.slice(2).map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
    );
  }
}

function commandsOf(lines: readonly string[]): Block {
  return lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}
