import type { TemporalClient } from '../connect';
import type { Poller } from '../pollers';
import { bad, ok, warn, type Diagnosis } from './finding';

const NOT_FOUND = 5; // gRPC's status
/** WORKER_VERSIONING_MODE_VERSIONED of Temporal's API. */
const VERSIONED = 2;
const WHAT = 'builds';

/** Which builds serve runs, and whether a new run has one to go to. `pollers` are those of the queue of workflows. */
export async function lookAtBuilds(
  { connection, namespace }: TemporalClient,
  pollers: readonly Poller[],
): Promise<Diagnosis[]> {
  const versioned = pollers.filter(({ deploymentOptions }) => deploymentOptions?.workerVersioningMode === VERSIONED);
  const names = [...new Set(versioned.map(({ deploymentOptions }) => deploymentOptions?.deploymentName ?? ''))];
  const looks = names.map(async (deploymentName) => {
    const asked = connection.workflowService.describeWorkerDeployment({ namespace, deploymentName });
    // A worker polls for a moment before its deployment is known.
    const described = await asked.catch((error: unknown) => {
      if ((error as { code?: unknown }).code === NOT_FOUND) return null;
      throw error;
    });
    const current = described?.workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId;
    const builds = versioned.flatMap(({ deploymentOptions: its }) =>
      its?.deploymentName === deploymentName && its.buildId ? [its.buildId] : [],
    );
    const setTo = `temporal worker deployment set-current-version --deployment-name ${deploymentName} --build-id ${builds[0] ?? 'BUILD'}`;
    if (!current && versioned.length === pollers.length)
      return bad(WHAT, `no build of ${deploymentName} is current: a new run would hang without a word`, setTo);
    if (current && !builds.includes(current))
      return bad(WHAT, `build ${current} of ${deploymentName} is current, but no worker has it: new runs hang`, setTo);
    return ok(
      WHAT,
      `${deploymentName}: ${current ? `${current} is current` : 'none is current, unversioned workers serve'}`,
    );
  });
  return [...(await Promise.all(looks)), ...mixed(pollers, versioned)];
}

/** Without versions any worker may take up any run, so that all must be of one build. */
function mixed(pollers: readonly Poller[], versioned: readonly Poller[]): Diagnosis[] {
  const builds = new Set(
    pollers.filter((each) => !versioned.includes(each)).map((each) => each.workerVersionCapabilities?.buildId ?? ''),
  );
  if (builds.size <= 1) return [];
  return [
    warn(
      WHAT,
      `workers of ${builds.size} builds serve the same runs: a run that changes between them may stand still`,
      'stop the workers of the older build, or give each a version (docs/connection.md)',
    ),
  ];
}
