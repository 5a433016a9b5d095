import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectDir } from '../../local/paths';

/** A block of code of a page: what stands behind the fence (`sql`, `diff FILE`), the heading above, and its text. */
export interface Block {
  info: string;
  heading: string;
  text: string;
}

/** Every fenced block of `docs/NAME`, in order. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(join(projectDir(), 'docs', page), 'utf8');
  let heading = '';
  return [...text.matchAll(/^(?:#+ (.*)|```(\S.*)\n([\s\S]*?)^```)$/gm)].flatMap(([, title, info, body]) => {
    if (title !== undefined) heading = title;
    return info === undefined || body === undefined ? [] : [{ info, heading, text: body }];
  });
}

/**
 * Applies a block of edits as the pages write them: hunks between `@@`, with context, each of which fits at exactly one place. Throws
 * when one does not: then the page no longer says what is to be done.
 */
export function applyEdits(text: string, edits: string): string {
  return edits.split(/^@@\n/m).reduce((whole, hunk) => {
    const lines = hunk.split('\n').filter((line) => line !== '');
    const side = (marks: string): string =>
      lines
        .filter((line) => marks.includes(line.charAt(0)))
        .map((line) => `${line.slice(1)}\n`)
        .join('');
    const [before, after] = [side(' -'), side(' +')];
    const parts = whole.split(before);
    if (parts.length !== 2) throw new Error(`this hunk fits ${parts.length - 1} times:\n${hunk}`);
    return parts.join(after);
  }, text);
}

/** How many lines somebody types or deletes. */
export const editedLines = (edits: string): number => edits.split('\n').filter((line) => /^[-+]/.test(line)).length;
