import type { Side } from '../../../domain/custody';
import type { Clock } from '../clock';
import type { Prng } from '../prng';
import type { SystemState, World, WorldRule } from './world';

const WAVES = [1, 2];
const CUSTOMERS_PER_WAVE = 4;

function emptySystem(side: Side): SystemState {
  const state = side === 'source' ? 'open' : 'sealed';
  return {
    side,
    rows: new Map(),
    waves: new Map([0, ...WAVES].map((wave) => [wave, { state, leaseUntil: 0, frozenAt: 0, frozenEpoch: -1 }])),
    fences: new Map([0, ...WAVES].map((wave) => [wave, { epoch: 0, position: null }])),
    chunksDone: new Set(),
    copies: new Map(),
    log: [],
  };
}

/** Two waves of customers at the source with a few rows each; some cannot be mapped. */
export function createWorld(clock: Clock, prng: Prng, broken: ReadonlySet<WorldRule>, pace = prng): World {
  const source = emptySystem('source');
  const members = new Map<string, number>();
  for (const wave of WAVES) {
    for (let index = 1; index <= CUSTOMERS_PER_WAVE; index++) {
      const customer = `w${wave}c${index}`;
      members.set(customer, wave);
      const rows = prng.int(1, 3);
      const bad = index > 1 && prng.chance(0.06);
      source.rows.set(`${customer}/0`, { customer, value: bad ? 'bad' : 'active', rev: 1 });
      for (let row = 1; row <= rows; row++)
        source.rows.set(`${customer}/${row}`, { customer, value: `v${row}`, rev: 1 });
    }
  }
  return {
    clock,
    prng,
    pace,
    openTransactions: [],
    source,
    target: emptySystem('target'),
    control: {
      epochs: 0,
      epoch: new Map(),
      epochsTaken: new Map(),
      undo: [],
      ledger: [],
      ledgerKeys: new Set(),
      custody: new Map(WAVES.map((wave) => [wave, 'source'])),
      intake: new Map(WAVES.map((wave) => [wave, 'open'])),
      ended: { custody: new Map(), intake: new Map() },
      chunks: new Map(),
      requests: [],
      closed: null,
      amended: { number: 0, runbookHash: 'r' },
    },
    members,
    baseline: new Set(members.keys()),
    lastWave: 2,
    openWork: new Map(WAVES.map((wave) => [wave, prng.int(0, 4)])),
    jobs: { running: true, done: new Set(), calls: [] },
    measures: new Map([
      ['disturbed', true],
      ['owed', true],
    ]),
    broken,
    runsOpen: () => true,
    onSeal: () => undefined,
    onWrite: () => undefined,
    happened: () => undefined,
  };
}
