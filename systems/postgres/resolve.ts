import type { CustodyPort } from '../ports';

export type Opening = 'opened' | 'other-owns' | 'members-differ' | 'stale';

/**
 * Opens a wave in the system `at` when it was found sealed in both (PROTOCOL 14). The fence of the other system is
 * raised first and its state read afterwards: from there on no older attempt can open the wave there. Whether to
 * open at the source or at the target is the caller's decision; of two who decide differently one gets `stale` or
 * `other-owns`. Safe to repeat with the same epoch. Throws SystemFault when a system cannot be reached: nothing is guessed.
 * `members` as `CustodyPort.open` takes them.
 */
export async function openSealed(
  at: CustodyPort,
  other: CustodyPort,
  wave: number,
  epoch: number,
  members?: string,
): Promise<Opening> {
  const raised = await other.raise(wave, epoch);
  if (raised.outcome === 'stale') return 'stale';
  if ((await other.wave(wave)).state !== 'sealed') return 'other-owns';
  if ((await at.raise(wave, epoch)).outcome === 'stale') return 'stale';
  const { outcome } = await at.open(wave, epoch, members);
  return outcome === 'done' ? 'opened' : outcome;
}
