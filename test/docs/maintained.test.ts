import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectDir } from '../../local/paths';

const read = (file: string): string => readFileSync(join(projectDir(), file), 'utf8');
const docs = (folder: string): string[] =>
  readdirSync(join(projectDir(), folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(folder, file));

const GUIDES = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...docs('docs'),
  ...docs('runbooks'),
];
const SCRIPTS = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);
const FOLDERS = readdirSync(projectDir(), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && /^[a-z]+$/.test(entry.name))
  .map(({ name }) => name)
  .filter((name) => !['dist', 'out', 'node_modules', 'coverage', 'docs'].includes(name));

/** What is quoted on a page and fits, with the page that quotes it. */
const quoted = (pattern: RegExp): [page: string, text: string][] =>
  GUIDES.flatMap((page) => [...read(page).matchAll(pattern)].map(([, text]) => [page, text!] as [string, string]));

it('every npm script that a page tells to run is there', () => {
  const told = quoted(/npm run (?:--silent )?([a-z]+)/g);
  expect(told.length).toBeGreaterThan(0);
  expect(told.filter(([, script]) => !SCRIPTS.includes(script))).toEqual([]);
});

it('every file that a page names is there', () => {
  const named = quoted(/`([\w.-]+\/[\w./-]+)`/g).filter(([, path]) => FOLDERS.includes(path.split('/')[0] ?? ''));
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter(([, path]) => !existsSync(join(projectDir(), path)))).toEqual([]);
});

it('the map has every folder', () => {
  const map = read('ARCHITECTURE.md').split('## Map')[1]?.split('## ')[0] ?? '';
  const onMap = [...map.matchAll(/^\| ((?:`\w+\/` ?)+)/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`(\w+)\/`/g)].map(([, name]) => name),
  );
  expect(onMap.sort()).toEqual([...FOLDERS].sort());
});

it('CONTRIBUTING shows every script but those the README and npm itself are about', () => {
  const shown = [...read('CONTRIBUTING.md').matchAll(/npm run (?:--silent )?([a-z]+)/g)].map(([, script]) => script);
  const elsewhere = ['demo', 'cutover', 'test', 'typecheck', 'lint'];
  expect(SCRIPTS.filter((script) => !shown.includes(script) && !elsewhere.includes(script))).toEqual([]);
});
