import type { RunState } from './state';

const REMEMBERED_NOTICES = 20;

/** Tells people something at the run's head: the last few are kept. */
export function notice(state: RunState, at: number, text: string): void {
  state.notices.push({ at, text });
  state.notices.splice(0, state.notices.length - REMEMBERED_NOTICES);
}
