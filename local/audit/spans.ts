/** Per wave, how long nobody accepted writes: what a customer of that wave felt. Milliseconds, by the prober's clock. */
export class OwnerlessSpans {
  private readonly since = new Map<number, number>();
  private readonly longest = new Map<number, number>();
  private readonly seen = new Set<number>();

  /** A probe that began at `startedAt` and ended at `endedAt`; `owned` when some system accepted. */
  add(wave: number, owned: boolean, startedAt: number, endedAt: number): void {
    this.seen.add(wave);
    const open = this.since.get(wave);
    if (!owned) {
      const from = open ?? startedAt;
      this.since.set(wave, from);
      this.note(wave, endedAt - from);
    } else if (open !== undefined) {
      this.since.delete(wave);
      this.note(wave, endedAt - open);
    }
  }

  private note(wave: number, ms: number): void {
    this.longest.set(wave, Math.max(this.longest.get(wave) ?? 0, ms));
  }

  /** Wave → longest span in ms; 0 for a wave that always had an owner. */
  summary(): Record<string, number> {
    return Object.fromEntries([...this.seen].sort((a, b) => a - b).map((wave) => [wave, this.longest.get(wave) ?? 0]));
  }

  /** Waves that have no owner at this moment. */
  open(): number[] {
    return [...this.since.keys()];
  }
}
