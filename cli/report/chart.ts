import { BarChart, type BarSeriesOption } from 'echarts/charts';
import { AriaComponent, GridComponent, type GridComponentOption } from 'echarts/components';
import { init, use, type ComposeOption } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { duration } from './format';
import { Markup } from './markup';
import type { Span } from './report-json';

use([BarChart, GridComponent, AriaComponent, SVGRenderer]);

type Option = ComposeOption<BarSeriesOption | GridComponentOption>;

/** One line of the picture: a step or a gate, as planned and as it went. */
export interface ChartRow {
  label: string;
  status: string;
  planned: Span;
  actual: Span;
}

const WIDTH = 960;
const ROW_HEIGHT = 34;
/** Stands for the page's text colour, so that the picture is readable on light and dark ground. */
const INK = '#010203';
const PLANNED = '#8d99ae';
const ACTUAL: Record<string, string> = { failed: '#d1495b', refused: '#d1495b', skipped: '#b08900' };
const DONE = '#2a9d8f';

/** Planned against actual as an SVG; both start where their first row starts, so that waiting for a window does not show. */
export function timelineChart(rows: readonly ChartRow[], describedAs: string): Markup {
  const height = rows.length * ROW_HEIGHT + 52;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption(options(rows));
  const svg = chart.renderToSVGString();
  chart.dispose();
  const named = svg.replace('<svg ', `<svg role="img" aria-label="${describedAs.replace(/[&<>"]/g, ' ')}" `);
  return new Markup(named.replaceAll(INK, 'currentColor'));
}

function options(rows: readonly ChartRow[]): Option {
  const planned = offsets(rows.map((row) => row.planned));
  const actual = offsets(rows.map((row) => row.actual));
  const category = rows.map((row) => row.label);
  const invisible = { itemStyle: { color: 'transparent', decal: { symbol: 'none' } }, silent: true } as const;
  const bar = { type: 'bar', barWidth: 9, barGap: '25%' } as const;
  const shown = { barMinHeight: 2 } as const;
  return {
    animation: false,
    aria: { enabled: true, label: { enabled: false }, decal: { show: true } },
    textStyle: { color: INK, fontFamily: 'system-ui, sans-serif' },
    grid: { left: 190, right: 190, top: 6, bottom: 34 },
    xAxis: {
      type: 'value',
      min: 0,
      ...axisEnd(planned, actual),
      axisLabel: { color: INK, hideOverlap: true, formatter: (seconds: number) => duration(seconds) },
      splitLine: { lineStyle: { color: '#8d99ae', opacity: 0.35 } },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: category,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: '#8d99ae' } },
      axisLabel: { color: INK, width: 175, overflow: 'truncate', interval: 0 },
    },
    series: [
      { ...bar, ...invisible, stack: 'planned', data: planned.map((each) => each.start) },
      {
        ...bar,
        ...shown,
        name: 'planned',
        stack: 'planned',
        data: planned.map((each) => each.length),
        itemStyle: {
          color: PLANNED,
          decal: {
            symbol: 'rect',
            dashArrayX: [1, 0],
            dashArrayY: [2, 4],
            rotation: -Math.PI / 4,
            color: 'rgba(255,255,255,0.55)',
          },
        },
      },
      { ...bar, ...invisible, stack: 'actual', data: actual.map((each) => each.start) },
      {
        ...bar,
        ...shown,
        name: 'actual',
        stack: 'actual',
        data: rows.map((row, index) => ({
          value: actual[index]?.length ?? 0,
          itemStyle: { color: ACTUAL[row.status] ?? DONE, decal: { symbol: 'none' } },
        })),
        label: {
          show: true,
          position: 'right',
          color: INK,
          fontSize: 11,
          formatter: ({ dataIndex }) => told(rows[dataIndex]),
        },
      },
    ],
  };
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TICKS = [
  ...[1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE],
  ...[HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY],
];

/** The least step of a clock or a calendar that gives at most six marks. */
function axisEnd(...lists: readonly { start: number; length: number }[][]): { max: number; interval: number } {
  const longest = Math.max(1, ...lists.flat().map((each) => each.start + each.length));
  const interval = TICKS.find((tick) => longest / tick <= 6) ?? longest / 6;
  return { max: Math.ceil(longest / interval) * interval, interval };
}

function told(row: ChartRow | undefined): string {
  if (!row) return '';
  const actual = row.actual.seconds === null ? row.status : duration(row.actual.seconds);
  return row.planned.seconds === null ? actual : `${actual}, planned ${duration(row.planned.seconds)}`;
}

/** Seconds from the first start; a span that never was has no length. */
function offsets(spans: readonly Span[]): { start: number; length: number }[] {
  const first = Math.min(...spans.flatMap((span) => (span.start === null ? [] : [Date.parse(span.start)])));
  return spans.map((span) => ({
    start: span.start === null ? 0 : (Date.parse(span.start) - first) / 1_000,
    length: span.seconds ?? 0,
  }));
}
