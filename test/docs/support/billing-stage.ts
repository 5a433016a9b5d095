import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { writeDocuments } from '../../../local/demo/documents';
import { fillLegacy } from '../../../local/legacy/fill';
import { createTarget } from '../../../local/target/schema';
import { withClient } from '../../../local/with-client';
import { Stage } from '../../e2e/support/stage';

/** So long ago that the night's window is open when the test begins. */
const WRITTEN_AGO_MS = 60_000;

export interface BillingStage {
  stage: Stage;
  /** Folder of documents, with `billing-oss` in it. */
  documents: string;
  close(): Promise<void>;
}

/**
 * The sample company with its systems, back office, job scheduler and two workers, and the billing runbook with an open window and a
 * hypercare of seconds where the workers look for documents. The scheduler refuses every job's first stop.
 */
export async function openBilling(name: string, customers: number): Promise<BillingStage> {
  const stage = await Stage.open(name);
  let door: Server | null = null;
  try {
    await stage.emptyDatabases();
    await fillLegacy(stage.urlOf('source'), { customers, seed: 1 });
    await withClient(stage.urlOf('target'), createTarget);
    const documents = join(stage.dir, 'documents');
    writeDocuments(join(documents, 'billing-oss'), new Date(Date.now() - WRITTEN_AGO_MS));
    const scheduler = await stage.start('scheduler', 'local/legacy/scheduler.js', { ready: /"ready"/ });
    door = await refusingDoor((JSON.parse(scheduler.readyLine) as { url: string }).url);
    stage.env['SCHEDULER_URL'] = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
    stage.env['CUTOVER_DOCUMENTS'] = documents;
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
