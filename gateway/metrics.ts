import type { RequestCounts, WaveLoad } from '../systems/control/measures';

const HELP: Partial<Record<keyof RequestCounts, string>> = {
  accepted: 'Requests accepted',
  effected: 'Requests that took effect',
  refused: 'Requests a system turned down for good',
  held: 'Requests that were ever held',
  replayed: 'Requests that were held and took effect since',
};

const label = (text: string): string => text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n');

/** Counts of a cutover's requests in Prometheus' text format; `waves` has what is held now. */
export function metricsText(cutover: string, counts: RequestCounts, waves: readonly WaveLoad[]): string {
  const name = `{cutover="${label(cutover)}"}`;
  const line = (metric: string, type: 'counter' | 'gauge', help: string, value: number): string =>
    `# HELP ${metric} ${help}\n# TYPE ${metric} ${type}\n${metric}${name} ${value}\n`;
  const counters = Object.entries(HELP).map(([key, help]) =>
    line(`cutover_requests_${key}_total`, 'counter', help, counts[key as keyof RequestCounts] ?? 0),
  );
  const held = waves.map(
    ({ wave, held: now }) => `cutover_held_requests{cutover="${label(cutover)}",wave="${wave}"} ${now}\n`,
  );
  return [
    ...counters,
    '# HELP cutover_held_requests Requests that are kept until their wave opens\n# TYPE cutover_held_requests gauge\n',
    ...held,
    line('cutover_requests_pending', 'gauge', 'Requests that have not taken effect yet', counts.pending),
    line('cutover_longest_hold_seconds', 'gauge', 'Longest time a request was held', counts.longestHoldMs / 1000),
  ].join('');
}
