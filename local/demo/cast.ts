import { join } from 'node:path';
import { startChild, type Child } from '../children';
import type { Stack } from '../stack';
import type { DemoOptions } from './options';

/** The processes of the demo, beside the servers of its stack. */
export class Cast {
  private readonly children: Child[] = [];
  readonly logDir: string;

  constructor(
    readonly stack: Stack,
    readonly env: Record<string, string>,
  ) {
    this.logDir = join(stack.dir, 'logs');
  }

  async start(
    name: string,
    entry: string,
    options: { args?: string[]; env?: Record<string, string>; ready?: RegExp; onLine?: (line: string) => void } = {},
  ): Promise<Child> {
    const { env, ...rest } = options;
    const child = await startChild({
      name,
      entry,
      logDir: this.logDir,
      env: { ...this.stack.env, ...this.env, ...env },
      ...rest,
    });
    this.children.push(child);
    return child;
  }

  /** Ends everything, the youngest first. */
  async stopAll(): Promise<void> {
    for (const child of [...this.children].reverse()) if (child.isRunning()) await child.stop();
  }
}

/** URL of a ready line such as `{"ready":true,"url":"http://…"}` or one that names the port. */
export function urlOf(readyLine: string): string {
  const parsed = JSON.parse(readyLine) as { url?: string; port?: number };
  if (parsed.url) return parsed.url;
  if (parsed.port) return `http://127.0.0.1:${parsed.port}`;
  throw new Error(`no url in the ready line ${readyLine}`);
}

/** Traffic's own status lines, the newest. */
export interface TrafficStatus {
  operations: number;
  perSecond: number;
  held: number;
  refused: number;
  unknown: number;
  fewest: { source: number; moving: number; target: number };
  bornAtTarget: number;
}

export async function startTraffic(
  cast: Cast,
  options: DemoOptions,
  files: { journal: string; gateway: string; cutover: string },
  onStatus: (status: TrafficStatus) => void,
): Promise<Child> {
  const { env } = cast.stack;
  const args = [
    '--source',
    env['SOURCE_URL'] ?? '',
    '--target',
    env['TARGET_URL'] ?? '',
    '--control',
    env['CONTROL_URL'] ?? '',
  ];
  const rest = ['--gateway', files.gateway, '--cutover', files.cutover, '--journal', files.journal];
  const load = ['--rate', String(options.rate), '--seed', String(options.seed)];
  return cast.start('traffic', 'local/traffic/main.js', {
    args: [...args, ...rest, ...load],
    ready: /"ready"/,
    onLine: (line) => {
      const parsed = JSON.parse(line) as { event: string } & TrafficStatus;
      if (parsed.event === 'status' || parsed.event === 'stopped') onStatus(parsed);
    },
  });
}
