import { existsSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { projectDir } from '../../local/paths';
import { isRunning, waitForExit } from '../../local/processes';
import { readStack, removeStack, stackStatus, startStack, stopStack, type Stack } from '../../local/stack';
import { startTemporal, stopTemporal, temporalAnswers } from '../../local/temporal';
import { findTemporalBinary } from '../../local/temporal-binary';
import { withClient } from '../../local/with-client';

const name = `stack-test-${process.pid}`;
const env = { ...process.env, TEMPORAL_ADDRESS: '' };
const start = (customers = 50): Promise<Stack> => startStack({ name, customers, env });
const customers = (stack: Stack): Promise<number> =>
  withClient(
    stack.servers.source.url,
    async (client) => (await client.query('select 1 from legacy.customer')).rowCount ?? -1,
  );

/** Sends SIGKILL to one process this test started and waits until it is gone. */
async function kill(pid: number | null): Promise<void> {
  if (pid === null) throw new Error('no process to kill');
  process.kill(pid, 'SIGKILL');
  expect(await waitForExit(pid, 10_000)).toBe(true);
}

const listens = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(Number(new URL(url).port), '127.0.0.1', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });

// Building the CLI takes minutes: without one at hand the demo and the end-to-end tests build it, this test does not.
const found = findTemporalBinary({ env });
if (found === undefined) process.stderr.write('Skipped: no Temporal CLI is at hand.\n');

(found === undefined ? describe.skip : describe)('the local stack', () => {
  afterAll(() => removeStack(name));

  it('starts whole, with its state where another process finds it', async () => {
    const stack = await start();
    expect(stackStatus(name)).toEqual({ source: true, target: true, control: true, temporal: true });
    expect(await customers(stack)).toBe(50);
    expect(readStack(name)?.env).toEqual(stack.env);
    expect(
      await temporalAnswers(stack.env['TEMPORAL_ADDRESS'] ?? '', [
        'CutoverPhase',
        'CutoverGate',
        'CutoverStatus',
        'CutoverWave',
      ]),
    ).toBe(true);
  });

  it('uses what runs, and starts a killed database and a killed Temporal again on the ports they had', async () => {
    const before = await start();
    await withClient(before.servers.source.url, (client) =>
      client.query("update legacy.customer set note = 'kept' where customer_id = 'C0000001'"),
    );
    await kill(before.servers.source.pid);
    await kill(before.temporal.pid);
    expect(stackStatus(name)).toEqual({ source: false, target: true, control: true, temporal: false });
    const after = await start();
    expect(stackStatus(name)).toEqual({ source: true, target: true, control: true, temporal: true });
    expect(after.env).toEqual(before.env);
    expect(after.servers.target.pid).toBe(before.servers.target.pid);
    const { rows } = await withClient(after.servers.source.url, (client) =>
      client.query("select note from legacy.customer where customer_id = 'C0000001'"),
    );
    expect(rows).toEqual([{ note: 'kept' }]);
  });

  it('completes a stack whose first start was killed before the end', async () => {
    const stack = await start();
    await withClient(stack.servers.control.url.replace('/control', '/postgres'), (client) =>
      client.query('drop database control with (force)'),
    );
    rmSync(join(stack.dir, 'stack.json'));
    const again = await start();
    expect(await customers(again)).toBe(50);
    await withClient(again.servers.control.url, (client) => client.query('select 1'));
    expect(stackStatus(name)).toEqual({ source: true, target: true, control: true, temporal: true });
  });

  it('refuses to pretend that it holds other customers than it does', async () => {
    await expect(start(60)).rejects.toThrow('holds other customers');
  });

  it('ends by process id, keeps its data, and starts again', async () => {
    const before = await start();
    await stopStack(name);
    expect(stackStatus(name)).toEqual({ source: false, target: false, control: false, temporal: false });
    for (const { pid } of Object.values(before.servers)) expect(isRunning(pid)).toBe(false);
    expect(await listens(before.servers.source.url)).toBe(false);
    expect(await customers(await startStack({ name, env }))).toBe(50);
  });

  it('uses the Temporal server TEMPORAL_ADDRESS names and does not end it', async () => {
    const stack = await start();
    const address = stack.env['TEMPORAL_ADDRESS'] ?? '';
    const dir = join(stack.dir, 'other-temporal');
    const temporal = await startTemporal({ dir, env: { TEMPORAL_ADDRESS: address } });
    expect(temporal).toMatchObject({ address, pid: null, uiUrl: null });
    await temporal.stop();
    await stopTemporal(dir);
    expect(await temporalAnswers(address)).toBe(true);
    await expect(startTemporal({ dir, env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } })).rejects.toThrow(
      'no Temporal server answers: unset TEMPORAL_ADDRESS',
    );
  });

  it('starts its own server again in a shell that still names it', async () => {
    const { TEMPORAL_ADDRESS: address = '' } = (await start()).env;
    await stopStack(name);
    const { temporal } = await startStack({ name, env: { ...env, TEMPORAL_ADDRESS: address } });
    expect(temporal).toMatchObject({ address, pid: expect.any(Number) as number });
  });

  it('leaves nothing behind when it is removed', async () => {
    const { servers, temporal, dir } = await start();
    await removeStack(name);
    for (const pid of [...Object.values(servers).map(({ pid: id }) => id), temporal.pid ?? 0])
      expect(isRunning(pid)).toBe(false);
    expect(existsSync(dir)).toBe(false);
    expect(existsSync(join(projectDir(), '.cutover', name))).toBe(false);
  });
});
