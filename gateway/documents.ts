import type { Pool } from 'pg';
import { parseDocuments, unpackRunbook } from '../runbooks/load';
import type { Runbook } from '../runbooks/schema/runbook';
import { getCutover } from '../systems/control/cutovers';
import { getDocument } from '../systems/control/documents';

/** What the gateway needs of a runbook. */
export interface Served {
  requests: Runbook['requests'];
  script: Runbook['script'];
}

/** The cutover is not there yet, or its runbook cannot be read: the gateway answers 503 with the message. */
export class NotServed extends Error {
  override readonly name = 'NotServed';
}

const FRESH_MS = 2_000;

/** Keeps the running cutover's runbook, and looks every two seconds whether an amendment replaced it. */
export class RunbookReader {
  private known: { hash: string; served: Served; at: number } | undefined;

  constructor(
    private readonly control: Pool,
    private readonly cutover: string,
  ) {}

  /** Throws NotServed with what to do; errors of the database as they come. */
  async read(): Promise<Served> {
    if (this.known && Date.now() - this.known.at < FRESH_MS) return this.known.served;
    const row = await getCutover(this.control, this.cutover);
    if (!row) throw new NotServed(`cutover ${this.cutover} is not registered yet; start it, then send this again`);
    const served = this.known?.hash === row.runbookHash ? this.known.served : await this.load(row.runbookHash);
    this.known = { hash: row.runbookHash, served, at: Date.now() };
    return served;
  }

  private async load(hash: string): Promise<Served> {
    const document = await getDocument(this.control, hash);
    if (!document) throw new NotServed(`the runbook ${hash.slice(0, 12)} of cutover ${this.cutover} is not stored`);
    const { runbook, findings } = parseDocuments(unpackRunbook(document.body));
    if (!runbook) {
      const count = findings.length === 1 ? '1 error' : `${findings.length} errors`;
      throw new NotServed(`the runbook ${hash.slice(0, 12)} has ${count}; \`cutover check\` lists them`);
    }
    return { requests: runbook.requests, script: runbook.script };
  }
}
