import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../local/ports';
import { findTemporalBinary, temporalBinary } from '../../local/temporal-binary';

const SCRIPT = '#!/bin/sh\necho temporal version 1.5.1\n';

let dir: string;
let cache: string;
let server: Server | undefined;
const said: string[] = [];
const log = (line: string): void => void said.push(line);

const program = (folder: string): string => {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'temporal');
  writeFileSync(file, SCRIPT, { mode: 0o755 });
  return file;
};

/** A download site on loopback that serves an archive with one file of this name. */
async function site(name: string): Promise<string> {
  const folder = join(dir, 'archive');
  program(folder);
  if (name !== 'temporal') execFileSync('mv', [join(folder, 'temporal'), join(folder, name)]);
  const archive = execFileSync('tar', ['-cz', '-C', folder, name]);
  let served = 0;
  server = createServer((_, response) => response.writeHead(200, { 'x-count': String(++served) }).end(archive));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cutover-binary-'));
  cache = join(dir, 'cache');
  mkdirSync(cache);
  said.length = 0;
});

afterEach(async () => {
  if (server) await new Promise((resolve) => server?.close(resolve));
  server = undefined;
  rmSync(dir, { recursive: true, force: true });
});

describe('finding the Temporal CLI', () => {
  it('prefers the one that is named, then the PATH, then the cache', () => {
    const named = program(join(dir, 'named'));
    const onPath = program(join(dir, 'bin'));
    const cached = program(cache);
    expect(findTemporalBinary({ cache, env: { TEMPORAL_CLI_PATH: named, PATH: join(dir, 'bin') } })).toBe(named);
    expect(findTemporalBinary({ cache, env: { PATH: join(dir, 'bin') } })).toBe(onPath);
    expect(findTemporalBinary({ cache, env: { PATH: '' } })).toBe(cached);
  });

  it('does not fall back silently when the named one is no program', () => {
    program(cache);
    expect(() => findTemporalBinary({ cache, env: { TEMPORAL_CLI_PATH: join(dir, 'gone') } })).toThrow(
      'TEMPORAL_CLI_PATH',
    );
  });

  it('downloads once for two who ask at once, and keeps nothing but the program', async () => {
    const search = { cache, env: { PATH: '' }, log, archives: await site('temporal') };
    const [one, two] = await Promise.all([temporalBinary(search), temporalBinary(search)]);
    expect([one, two]).toEqual([join(cache, 'temporal'), join(cache, 'temporal')]);
    expect(readFileSync(one, 'utf8')).toBe(SCRIPT);
    expect(readdirSync(cache)).toEqual(['temporal']);
    expect(said.filter((line) => line.startsWith('Downloading'))).toHaveLength(1);
  });

  it('removes what a killed attempt left behind', async () => {
    mkdirSync(join(cache, 'new-killed'));
    writeFileSync(join(cache, 'lock'), '999999999 1');
    await temporalBinary({ cache, env: { PATH: '' }, log, archives: await site('temporal') });
    expect(readdirSync(cache)).toEqual(['temporal']);
  });

  it('says what to install when nothing worked, with the reason of each attempt, and leaves no half of a program', async () => {
    const broken = { cache, env: { PATH: '' }, log, archives: await site('something-else') };
    await expect(temporalBinary(broken)).rejects.toThrow(
      /Install the Temporal CLI.*download: the archive holds no temporal.*go install: go is not installed/s,
    );
    expect(readdirSync(cache)).toEqual([]);
    const unreachable = { cache, env: { PATH: '' }, log, archives: `http://127.0.0.1:${await freePort()}` };
    await expect(temporalBinary(unreachable)).rejects.toThrow('cannot be reached');
    expect(existsSync(join(cache, 'temporal'))).toBe(false);
  });
});
