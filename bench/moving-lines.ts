import { median, ratioOf, seconds, spreadOf, type Line, type Rounds } from './measure';
import type { Figures } from './moving';

const HALF_SECOND_MS = 500;
const rowsAt = (customers: number): string =>
  `${customers.toLocaleString('en')} customers, ${(3 * customers).toLocaleString('en')} dependent rows`;
const both = ({ ours, bare }: Rounds, name: string): string =>
  `${seconds(median(ours))}; ${name} ${seconds(median(bare))}`;

export function conversionLines({ customers, conversion }: Figures): Line[] {
  const { ours, bare, planning } = conversion;
  const what = `conversion with mapping: speed of raw binary COPY to COPY; ${rowsAt(customers)}`;
  const planned = `conversion ${seconds(median(ours))} after ${seconds(median(planning))} of looking for what cannot be mapped and planning`;
  const bar = { atLeast: 0.9 };
  if (bare.length === 0)
    return [
      {
        scenario: 'conversion',
        what,
        value: null,
        unit: 'x',
        bar,
        figures: `${planned}; raw not compared: there is no psql`,
      },
    ];
  const speed = ratioOf({ ours: bare, bare: ours });
  return [
    { scenario: 'conversion', what, ...speed, unit: 'x', bar, figures: `${planned}; raw ${seconds(median(bare))}` },
  ];
}

export const liveLine = ({ customers, live }: Figures): Line => ({
  scenario: 'live verification',
  what: `every row proven while the source is live ÷ one bare hash over both sides; ${rowsAt(customers)}`,
  ...ratioOf(live),
  unit: 'x',
  bar: { atMost: 2 },
  figures: both(live, 'bare'),
});

export const downtimeLines = ({ customers, downtime }: Figures): Line[] =>
  [...downtime].map(([changes, rounds]) => ({
    scenario: 'downtime',
    what: `(freeze to open − 0.5 s) ÷ bare upsert and digest of ${changes.toLocaleString('en')} changed rows; ${customers.toLocaleString('en')} customers`,
    ...ratioOf({ ours: rounds.ours.map((ms) => Math.max(0, ms - HALF_SECOND_MS)), bare: rounds.bare }),
    unit: 'x',
    bar: { atMost: 1.5 },
    figures: `${both(rounds, 'bare')}; ${Object.entries(rounds.parts)
      .map(([part, ms]) => `${part} ${seconds(median(ms))}`)
      .join(', ')}`,
  }));

export const growthLines = (small: Figures, large: Figures): Line[] =>
  [...small.downtime].map(([changes, rounds]) => {
    const there = large.downtime.get(changes)?.ours ?? [];
    return {
      scenario: 'downtime',
      what: `${changes.toLocaleString('en')} changed rows: downtime at ${large.customers.toLocaleString('en')} customers ÷ at ${small.customers.toLocaleString('en')}`,
      ...ratioOf({ ours: there, bare: rounds.ours }),
      unit: 'x',
      bar: { atMost: 1.3 },
      figures: `${seconds(median(there))} and ${seconds(median(rounds.ours))} (${spreadOf(rounds.ours).map(seconds).join(' … ')})`,
    };
  });

export const rollbackLine = ({ customers, rollback, rollbackRows }: Figures): Line => ({
  scenario: 'rollback',
  what: `back to the source after ${rollbackRows.toLocaleString('en')} target writes ÷ freeze, delta and switch of as many changes; ${customers.toLocaleString('en')} customers`,
  ...ratioOf(rollback),
  unit: 'x',
  bar: { atMost: 1.5 },
  figures: both(rollback, 'forward'),
});
