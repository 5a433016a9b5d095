import { reasonOf } from '../connect';

/** One thing doctor looked at. */
export interface Diagnosis {
  what: string;
  /** `warn` does not stop a cutover; `bad` does, or soon will. */
  verdict: 'ok' | 'warn' | 'bad';
  said: string;
  /** What to do; null when nothing. */
  remedy: string | null;
  /** It could not be reached at all. */
  unreachable?: boolean;
}

export const ok = (what: string, said: string): Diagnosis => ({ what, verdict: 'ok', said, remedy: null });
export const warn = (what: string, said: string, remedy: string): Diagnosis => ({
  what,
  verdict: 'warn',
  said,
  remedy,
});
export const bad = (what: string, said: string, remedy: string): Diagnosis => ({ what, verdict: 'bad', said, remedy });
export const gone = (what: string, said: string, remedy: string): Diagnosis => ({
  ...bad(what, said, remedy),
  unreachable: true,
});

/** A look that fails is a finding of its own, never silence. */
export async function looked(what: string, remedy: string, look: () => Promise<Diagnosis[]>): Promise<Diagnosis[]> {
  try {
    return await look();
  } catch (error) {
    return [bad(what, `cannot be looked at: ${reasonOf(error)}`, remedy)];
  }
}
