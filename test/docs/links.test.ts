import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { projectDir } from '../../local/paths';

/** Folders of what is installed, built or left behind by a run. */
const NOT_OURS = new Set(['node_modules', 'dist', 'out']);

const pagesUnder = (dir: string): string[] =>
  readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory())
      return NOT_OURS.has(entry.name) || entry.name.startsWith('.') ? [] : pagesUnder(join(dir, entry.name));
    return entry.name.endsWith('.md') ? [join(dir, entry.name)] : [];
  });

/** The text without its code, where brackets are no links. */
const prose = (text: string): string => text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');

/** The anchor that a heading gets. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!));

const resolves = (from: string, link: string): boolean => {
  const [path = '', anchor] = link.split('#');
  const file = path === '' ? from : join(dirname(from), path);
  return existsSync(file) && (anchor === undefined || anchorsOf(file).includes(anchor));
};

const PAGES = pagesUnder(projectDir());

it('finds the pages', () => {
  expect(PAGES.map((page) => relative(projectDir(), page))).toEqual(
    expect.arrayContaining(['README.md', 'docs/operating.md', 'docs/steps/freeze.md', 'local/audit/README.md']),
  );
});

it.each(PAGES.map((page) => relative(projectDir(), page)))('every link of %s leads somewhere', (page) => {
  const from = join(projectDir(), page);
  const links = [...prose(readFileSync(from, 'utf8')).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  expect(links.filter((link) => !/^(https?|mailto):/.test(link) && !resolves(from, link))).toEqual([]);
});

it('every decision says in what context it was made and what follows from it', () => {
  const dir = join(projectDir(), 'docs', 'adr');
  for (const file of readdirSync(dir)) {
    const text = readFileSync(join(dir, file), 'utf8');
    expect([file, /^# \d|^# /m.test(text), /context/i.test(text), /consequence/i.test(text)]).toEqual([
      file,
      true,
      true,
      true,
    ]);
  }
});
