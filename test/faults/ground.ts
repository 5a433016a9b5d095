import { DATABASES, Stage, type Database } from '../e2e/support/stage';
import { Proxy } from '../support/proxy';

/** What lies between a worker and its world. */
export type Way = Database | 'temporal';
export const WAYS: readonly Way[] = [...DATABASES, 'temporal'];

/** A stage whose databases have servers of their own, and a proxy on each way its workers take. */
export class Ground {
  private constructor(
    readonly stage: Stage,
    readonly ways: Record<Way, Proxy>,
  ) {}

  static async open(name: string): Promise<Ground> {
    const stage = await Stage.open(name, { apart: true });
    const temporal = Number(stage.env['TEMPORAL_ADDRESS']?.split(':')[1]);
    const [source, target, control, way] = await Promise.all([
      ...DATABASES.map((database) => Proxy.open(stage.portOf(database), 'postgres')),
      Proxy.open(temporal, 'anything'),
    ]);
    if (!source || !target || !control || !way) throw new Error('a way is missing');
    return new Ground(stage, { source, target, control, temporal: way });
  }

  /** New databases, every way open, and no run of an earlier trial left. */
  async clear(customers: number): Promise<void> {
    for (const way of WAYS) this.ways[way].clear();
    await this.stage.freshDatabases(customers);
    const { client } = this.stage.temporal;
    for await (const { workflowId } of client.workflow.list({ query: "ExecutionStatus = 'Running'" }))
      await client.workflow.getHandle(workflowId).terminate('its trial is over').catch(ignoreEnded);
  }

  /** The workers' environment: every way of theirs goes through its proxy. */
  workerEnv(): Record<string, string> {
    const through = (database: Database): string => {
      const url = new URL(this.stage.urlOf(database));
      url.port = String(this.ways[database].port);
      return url.href;
    };
    return {
      SOURCE_URL: through('source'),
      TARGET_URL: through('target'),
      CONTROL_URL: through('control'),
      TEMPORAL_ADDRESS: `127.0.0.1:${this.ways.temporal.port}`,
    };
  }

  /** Kills a server as in a power cut and starts it again at once. */
  async restart(way: Way): Promise<void> {
    if (way === 'temporal') {
      this.stage.killTemporal();
      await this.stage.restartTemporal();
    } else {
      this.stage.killDatabase(way);
      await this.stage.restartDatabase(way);
    }
  }

  async close(): Promise<void> {
    await this.stage.stopChildren();
    await Promise.all(WAYS.map((way) => this.ways[way].close()));
    await this.stage.close();
  }
}

/** A run that ended meanwhile needs no end. */
function ignoreEnded(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'WorkflowNotFoundError') throw error;
}
