import type { RunMessage } from '../../../engine/messages';
import type { MessageAnswer } from '../../../engine/state';
import type { ResolvedRun } from '../../../runbooks/resolved';
import type { Run } from '../runs';
import type { World } from '../world/world';
import type { Say } from './broken';

/** AUDIT: every message and every passed gate is in the ledger once, whatever happened to the run afterwards. */
export class AuditPromises {
  /** `wave|actor|action` → times. */
  private readonly expected = new Map<string, number>();

  constructor(
    private readonly world: World,
    private readonly run: ResolvedRun,
    private readonly say: Say,
  ) {}

  delivered(run: Run, message: RunMessage, answer: MessageAnswer): void {
    const known = this.run.plan.people.some((person) => person.id === message.person);
    this.expect(
      `${run.wave}|${known ? message.person : 'unknown'}|${answer.accepted ? message.kind : `${message.kind} refused`}`,
    );
  }

  /** A terminated run may take with it what it had not written yet. */
  judge(passes: readonly string[], terminated: ReadonlySet<number | null>): void {
    for (const pass of passes) this.expect(`${pass.split('|')[0]}|system|gate passed`);
    const found = new Map<string, number>();
    for (const { actor, action } of this.world.control.ledger) increase(found, `${actor}|${action}`, 1);
    const least = new Map<string, number>();
    const most = new Map<string, number>();
    for (const [key, count] of this.expected) {
      const [wave = '', actor, action] = key.split('|');
      const lost = terminated.has(wave === 'null' ? null : Number(wave));
      increase(least, `${actor}|${action}`, lost ? 0 : count);
      increase(most, `${actor}|${action}`, count);
    }
    for (const [key, count] of most) {
      const written = found.get(key) ?? 0;
      if (written < (least.get(key) ?? 0) || written > count)
        this.say('AUDIT', `${key}: ${count} happened, ${written} written`);
    }
  }

  private expect(key: string): void {
    increase(this.expected, key, 1);
  }
}

const increase = (counts: Map<string, number>, key: string, by: number): void =>
  void counts.set(key, (counts.get(key) ?? 0) + by);
