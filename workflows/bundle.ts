import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';

/** Where the build puts the bundle; every worker loads this one, so that starting a worker costs no bundling. */
export const BUNDLE_PATH = join(__dirname, 'workflow-bundle.js');

/** Bundles the workflows once. Runs at the end of the build. */
async function main(): Promise<void> {
  const quiet = { trace: noop, debug: noop, info: noop, log: noop, warn: report, error: report };
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(__dirname, 'index.js'),
    workflowInterceptorModules: [join(__dirname, 'trace.js'), join(__dirname, 'views.js')],
    logger: quiet,
  });
  await writeFile(BUNDLE_PATH, code);
}

const noop = (): void => undefined;
const report = (first: unknown, second?: unknown): void => {
  process.stderr.write(`${String(second ?? first)}\n`);
};

if (require.main === module) {
  main().catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  });
}
