import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../cli/run-cli';
import { withClient } from '../../local/with-client';
import { fakeCli } from '../cli/support/fake-cli';
import { freshDatabase } from '../support/databases';
import { editedLines } from '../support/pages';
import { commandsOf, editFolder, editsOf } from './follow-page';
import { makeSystems, SYSTEMS } from './systems';

const dir = mkdtempSync(join(tmpdir(), 'cutover-pages-'));
afterAll(() => rmSync(dir, { recursive: true }));

test.each(SYSTEMS)(
  'docs/bring-your-own.md leads the %s from two databases to documents that fit them',
  async (name) => {
    const env = { SOURCE_URL: await freshDatabase('byo_source'), TARGET_URL: await freshDatabase('byo_target') };
    await makeSystems(name, env.SOURCE_URL, env.TARGET_URL);
    for (const args of commandsOf(name, dir)) {
      const cli = fakeCli(env);
      expect([await runCli(args, cli), cli.stderr]).toEqual([0, '']);
    }
    const folder = join(dir, name);
    await editFolder(name, folder);
    expect(editedLines(editsOf(name))).toBeLessThan(60);
    for (const [side, url] of [['source', env.SOURCE_URL] as const, ['target', env.TARGET_URL] as const])
      await withClient(url, (client) => client.query(prepared(folder, side)));
    const check = ['check', join(folder, 'runbook.yaml'), '--plan', join(folder, 'plan.yaml'), '--live', '-o', 'json'];
    const live = fakeCli({ ...env, CONTROL_URL: await freshDatabase('byo_control') });
    const code = await runCli(check, live);
    const { findings, live: found } = JSON.parse(live.stdout) as { findings: unknown[]; live: { verdict: string }[] };
    expect({ findings, bad: found.filter(({ verdict }) => verdict === 'bad'), code }).toEqual({
      findings: [],
      bad: [],
      code: 0,
    });
    const conversion = join(folder, 'conversion.yaml');
    writeFileSync(
      conversion,
      readFileSync(conversion, 'utf8').replace('to: last_name', 'to: surname').replace('to: cus_name', 'to: surname'),
    );
    const broken = fakeCli({ ...env, CONTROL_URL: await freshDatabase('byo_control') });
    expect(await runCli(check, broken)).toBe(1);
    expect(broken.stdout).toContain('surname');
  },
);

/** The SQL a side is prepared with; a side that needs none has no file. */
const prepared = (folder: string, side: string): string => {
  try {
    return readFileSync(join(folder, `${side}.sql`), 'utf8');
  } catch {
    return '';
  }
};
