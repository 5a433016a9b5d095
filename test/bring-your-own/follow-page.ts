import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { applyEdits, blocksOf } from '../support/pages';
import type { SystemName } from './systems';

const PAGE = 'bring-your-own.md';

const exampleBlocks = (name: SystemName): ReturnType<typeof blocksOf> => {
  const blocks = blocksOf(PAGE);
  const at = blocks.findIndex(({ info, text }) => info === 'sh' && text.includes(`runbooks/${name}`));
  return blocks.slice(at, at + 2);
};

/** The page's command lines for a system, without `cutover`, with its folder under `dir` instead of `runbooks`. */
export function commandsOf(name: SystemName, dir: string): string[][] {
  const lines = exampleBlocks(name)[0]?.text.trim().split('\n') ?? [];
  return lines.map((line) => {
    const words = line.split(' ').slice(1);
    const placed = words.map((word) => word.replace(/^runbooks(?=\/)/, dir));
    return words[0] === 'new' ? [...placed, '--dir', dir] : placed;
  });
}

/** What the page edits. */
export function editsOf(name: SystemName): string {
  const block = exampleBlocks(name)[1];
  if (block?.info !== `diff runbooks/${name}/conversion.yaml`) throw new Error(`${PAGE} has no edits for ${name}`);
  return block.text;
}

export async function editFolder(name: SystemName, folder: string): Promise<void> {
  const file = join(folder, 'conversion.yaml');
  await writeFile(file, applyEdits(await readFile(file, 'utf8'), editsOf(name)));
}
