import type { DemoOptions } from './options';

/** Who starts the demo's cutover, and therefore does not vote. */
export const LEAD = 'marit';

export interface Scripted {
  person: string;
  args: string[];
}

/** The scripted people and how each speaks: most through the CLI, one through the stock `temporal` binary. */
export function people({ noGo, interactive }: DemoOptions): Scripted[] {
  const refusal = noGo === null ? [] : ['--no-go', noGo];
  const votes = interactive ? ['--no-votes'] : [];
  return [
    { person: 'ingrid', args: [...refusal, ...votes] },
    { person: 'sanne', args: votes },
    { person: 'joost', args: ['--via', 'signal', ...votes] },
    { person: 'ruben', args: votes },
    { person: 'carla', args: votes },
  ];
}
