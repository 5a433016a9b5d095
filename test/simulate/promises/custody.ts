import type { Side } from '../../../domain/custody';
import { FROZEN_AT_MOST_MS } from '../runbook';
import { accepts, rowsOfWave, toSource, toTarget, waveRow, type World } from '../world/world';
import { WAVES, type Say } from './broken';

const LEASE_MS = 120_000;

/** OWNER, STILL, CONTENT and the bounds of the freeze, while it happens. */
export class CustodyPromises {
  /** Instant at which the cutover's run was terminated. */
  terminatedAt: number | null = null;
  private readonly lastWrite = new Map<string, number>();

  constructor(
    private readonly world: World,
    private readonly say: Say,
  ) {}

  everyEvent(): void {
    const { world } = this;
    const { now } = world.clock;
    for (const wave of WAVES) {
      if (accepts(world, 'source', wave) && accepts(world, 'target', wave))
        this.say('OWNER', `both systems accept writes of wave ${wave}`);
      const source = waveRow(world, 'source', wave);
      if (source.state !== 'frozen') continue;
      if (source.leaseUntil > now && this.wroteSince('source', wave, source.frozenAt))
        this.say('STILL', `wave ${wave} was written at the source under a freeze that holds`);
      if (source.leaseUntil > now && now > source.frozenAt + FROZEN_AT_MOST_MS + LEASE_MS)
        this.say('HOURS', `wave ${wave} is frozen longer than the limit`);
      if (this.terminatedAt !== null && source.leaseUntil > Math.max(source.frozenAt, this.terminatedAt) + LEASE_MS)
        this.say('LIVE', `the lease of wave ${wave} outlives its run`);
    }
  }

  private wroteSince(side: Side, wave: number, at: number): boolean {
    return (this.lastWrite.get(`${side}/${wave}`) ?? 0) > at;
  }

  wrote(side: Side, wave: number): void {
    this.lastWrite.set(`${side}/${wave}`, this.world.clock.now);
  }

  /** Right before `side` gives the wave up: nobody wrote there since it was frozen, and the other side holds what it holds. */
  atSeal(side: Side, wave: number): void {
    const { world } = this;
    const row = waveRow(world, side, wave);
    if (row.leaseUntil <= world.clock.now) this.say('STILL', `wave ${wave} is sealed on a lapsed lease`);
    if (this.wroteSince(side, wave, row.frozenAt))
      this.say('STILL', `wave ${wave} was written at the ${side} between its freeze and its seal`);
    const here = rowsOfWave(world, side, wave);
    const there = new Map(rowsOfWave(world, side === 'source' ? 'target' : 'source', wave));
    const mapped = side === 'source' ? toTarget : toSource;
    const wrong = here.filter(([key, { value }]) => there.get(key)?.value !== mapped(value));
    if (wrong.length > 0 || there.size !== here.length)
      this.say(
        side === 'source' ? 'CONTENT' : 'BACK',
        `wave ${wave} at its seal: ${wrong.length} rows differ, ${here.length} and ${there.size} rows`,
      );
  }
}
