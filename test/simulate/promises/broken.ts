/** A promise of DESIGN §3 that a simulated cutover broke; `at` in epoch ms. */
export interface Broken {
  promise: string;
  text: string;
  at: number;
}

export type Say = (promise: string, text: string) => void;

export const WAVES = [1, 2];
