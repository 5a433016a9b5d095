import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { writeDocuments } from '../../../local/demo/documents';
import { fillLegacy } from '../../../local/legacy/fill';
import { createTarget } from '../../../local/target/schema';
import { withClient } from '../../../local/with-client';
import type { NightDocuments } from './night';
import { Stage, type StageOptions } from './stage';

/** So long ago that the night's window is open when the test begins. */
const WRITTEN_AGO_MS = 60_000;

export interface BillingStage {
  stage: Stage;
  /** The runbook in the folder where workers look for documents. */
  documents: NightDocuments;
  close(): Promise<void>;
}

export interface BillingOptions extends StageOptions {
  /** Changes what the systems hold before anybody works with them. */
  fill?: (stage: Stage) => Promise<void>;
}

/**
 * The sample company with its systems, back office, job scheduler and two workers, and the billing runbook with an open window and a
 * hypercare of seconds where the workers look for documents. The scheduler refuses every job's first stop.
 */
export async function openBilling(
  name: string,
  customers: number,
  { fill = () => Promise.resolve(), ...options }: BillingOptions = {},
): Promise<BillingStage> {
  const stage = await Stage.open(name, options);
  let door: Server | null = null;
  try {
    await stage.emptyDatabases();
    await fillLegacy(stage.urlOf('source'), { customers, seed: 1 });
    await withClient(stage.urlOf('target'), createTarget);
    await fill(stage);
    const folder = join(stage.dir, 'documents');
    const documents = { runbook: 'billing-oss', folder: join(folder, 'billing-oss') };
    writeDocuments(documents.folder, new Date(Date.now() - WRITTEN_AGO_MS));
    const scheduler = await stage.start('scheduler', 'local/legacy/scheduler.js', { ready: /"ready"/ });
    door = await refusingDoor((JSON.parse(scheduler.readyLine) as { url: string }).url);
    stage.env['SCHEDULER_URL'] = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
    stage.env['CUTOVER_DOCUMENTS'] = folder;
    await stage.start('backoffice', 'local/legacy/backoffice.js');
    await stage.startWorkers({ BREAK_DIR: stage.dir });
    const close = async (): Promise<void> => {
      await stage.close();
      door?.close();
    };
    return { stage, documents, close };
  } catch (error) {
    door?.close();
    await stage.close();
    throw error;
  }
}

/** Passes calls on, but answers the first stop of each idempotency key with 422: something for a person to mend. */
async function refusingDoor(url: string): Promise<Server> {
  const refused = new Set<string>();
  const server = createServer((request, response) => {
    request.resume();
    const key = String(request.headers['idempotency-key'] ?? '');
    if (request.url === '/stop' && !refused.has(key)) {
      refused.add(key);
      response.writeHead(422).end();
      return;
    }
    fetch(`${url}${request.url}`, { method: request.method ?? 'GET', headers: { 'idempotency-key': key } })
      .then((answer) => response.writeHead(answer.status).end())
      .catch(() => response.writeHead(502).end());
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return server;
}
