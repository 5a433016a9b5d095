import type { Environment } from '../environment';
import { bad, ok, warn, type Diagnosis } from './finding';

const TIMEOUT_MS = 3_000;

/** The gateway and the metrics of a worker, where the environment says where they are; nothing about those it does not name. */
export async function lookAtEndpoints(env: Environment['all']): Promise<Diagnosis[]> {
  const { CUTOVER_GATEWAY_URL: gateway, CUTOVER_METRICS_PORT: port, CUTOVER_METRICS_HOST: host } = env;
  const metrics = `http://${!host || host === '0.0.0.0' ? '127.0.0.1' : host}:${port}/metrics`;
  return (await Promise.all([gateway ? lookAtGateway(gateway) : [], port ? lookAtMetrics(metrics) : []])).flat();
}

async function lookAtGateway(url: string): Promise<Diagnosis[]> {
  const what = 'gateway (CUTOVER_GATEWAY_URL)';
  const answer = await read(`${url.replace(/\/$/, '')}/health`);
  if (answer === null || answer.status !== 200)
    return [
      bad(
        what,
        `${answer === null ? 'does not answer' : `answers ${answer.status}`}: requests are neither taken nor held, and nobody hears where a customer lives`,
        'start it (node dist/gateway/main.js), or see its log; gateway/README.md',
      ),
    ];
  const { serving, reason } = JSON.parse(answer.text) as { serving?: boolean; reason?: string };
  return serving === false
    ? [
        warn(
          what,
          `answers, but does not serve yet: ${reason ?? 'no reason given'}`,
          'start its cutover, or mend CUTOVER',
        ),
      ]
    : [ok(what, 'serves')];
}

async function lookAtMetrics(url: string): Promise<Diagnosis[]> {
  const what = 'metrics (CUTOVER_METRICS_PORT)';
  const answer = await read(url);
  return answer?.status === 200
    ? [ok(what, `served at ${url}`)]
    : [warn(what, `${url} does not answer: dashboards and alerts are blind tonight`, 'start a worker with that port')];
}

async function read(url: string): Promise<{ status: number; text: string } | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { status: response.status, text: await response.text() };
  } catch {
    return null; // whatever came between: it does not answer
  }
}
