import type { MetricGauge, MetricMeter } from '@temporalio/common';

export type Labels = Record<string, string>;

/** What is exported, and what it says. docs/observability.md lists the same. */
const GAUGES = {
  cutover_phase: '1 for the phase a run is in, 0 for those it was in',
  cutover_status: '1 for the status of a run, 0 for those it had',
  cutover_open_gates: 'Gates of a run that wait for votes',
  cutover_lag_rows: 'Changes of the source that are not at the target yet',
  cutover_frozen_seconds: 'How long the source has refused the writes of a wave; 0 while it takes them',
  cutover_held_requests: 'Requests that are kept until their wave opens',
  cutover_metrics_read_timestamp_seconds: 'When the figures of a cutover were last read, Unix time',
} as const;
type GaugeName = keyof typeof GAUGES;

export interface Reading {
  name: GaugeName;
  value: number;
  labels: Labels;
}

/** Gauges that are read anew in rounds: what a round read is shown at once, and what it did not find again is set to 0. */
export class Gauges {
  private readonly gauges = new Map<GaugeName, MetricGauge>();
  private shown = new Map<string, Reading>();

  constructor(private readonly meter: MetricMeter) {}

  /** `isKept` names what could not be read in this round: it stays as it was. */
  show(readings: readonly Reading[], isKept: (labels: Labels) => boolean): void {
    const now = new Map(readings.map((reading) => [JSON.stringify([reading.name, reading.labels]), reading]));
    for (const [key, reading] of this.shown) {
      if (now.has(key)) continue;
      if (isKept(reading.labels)) now.set(key, reading);
      else this.gauge(reading.name).set(0, reading.labels);
    }
    for (const { name, value, labels } of now.values()) this.gauge(name).set(value, labels);
    this.shown = now;
  }

  private gauge(name: GaugeName): MetricGauge {
    const known = this.gauges.get(name);
    if (known) return known;
    const made = this.meter.createGauge(name, 'float', undefined, GAUGES[name]);
    this.gauges.set(name, made);
    return made;
  }
}
