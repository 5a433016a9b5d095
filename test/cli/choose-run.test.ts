import { CliError } from '../../cli/exit';
import { chooseRun, openRuns } from '../../cli/messages/choose-run';
import { wholeDigest } from '../../cli/commands/vote';
import { gate, run, step } from './support/status';

const waiting = (status: string): boolean => status === 'waiting-go';
const votable = (status: string): boolean => status === 'open';

describe('where a message goes', () => {
  it('goes to the cutover when its own run holds the step', () => {
    const main = run(null, { steps: [step('scope', 'waiting-go')] });
    const wave = run(1, { steps: [step('freeze', 'waiting-go')] });
    expect(chooseRun([main, wave], { step: 'scope' }, waiting, undefined)).toEqual({ outcome: 'chosen', run: main });
  });

  it('prefers the wave where the step waits now to the one where it is done', () => {
    const runs = [
      run(null),
      run(1, { steps: [step('freeze', 'waiting-go')] }),
      run(2, { steps: [step('freeze', 'pending')] }),
    ];
    expect(chooseRun(runs, { step: 'freeze' }, waiting, undefined)).toEqual({ outcome: 'chosen', run: runs[1] });
  });

  it('goes to the newest wave that holds it when none waits, so that the run itself says why not', () => {
    const runs = [run(1, { gates: [gate('final', 'passed')] }), run(2, { gates: [gate('final', 'pending')] })];
    expect(chooseRun(runs, { gate: 'final' }, votable, undefined)).toEqual({ outcome: 'chosen', run: runs[1] });
  });

  it('asks for the wave when two wait for the same', () => {
    const runs = [run(1, { gates: [gate('final', 'open')] }), run(2, { gates: [gate('final', 'open')] })];
    expect(() => chooseRun(runs, { gate: 'final' }, votable, undefined)).toThrow(CliError);
    expect(() => chooseRun(runs, { gate: 'final' }, votable, undefined)).toThrow(/several waves: 1, 2/);
    expect(chooseRun(runs, { gate: 'final' }, votable, 1)).toEqual({ outcome: 'chosen', run: runs[0] });
  });

  it('says what there is when nothing holds it, and when the wave has not started', () => {
    const runs = [run(null, { steps: [step('scope', 'done')] })];
    expect(chooseRun(runs, { step: 'scop' }, waiting, undefined)).toEqual({
      outcome: 'nowhere',
      reason: expect.stringContaining('steps: scope'),
    });
    expect(chooseRun(runs, { step: 'scope' }, waiting, 2)).toEqual({
      outcome: 'nowhere',
      reason: 'wave 2 has not started',
    });
  });

  it('tells every run that has not ended what concerns all of them', () => {
    const runs = [run(null), run(1, { status: 'live' }), run(2, { status: 'waiting-for-person' })];
    expect(openRuns(runs, undefined).map((each) => each.wave)).toEqual([null, 2]);
    expect(openRuns(runs, 2).map((each) => each.wave)).toEqual([2]);
    expect(openRuns(runs, 1)).toEqual([]);
  });
});

describe('the digest of a vote', () => {
  const shown = run(1, { gates: [gate('final', 'open', { digest: 'abcdef0123456789' })] });

  it('may be shortened as status shows it', () => {
    expect(wholeDigest(shown, 'final', 'abcdef01')).toBe('abcdef0123456789');
  });

  it('is passed on as it is when the gate shows other evidence by now', () => {
    expect(wholeDigest(shown, 'final', '99999999')).toBe('99999999');
  });

  it('is refused when it is too short to name anything', () => {
    expect(() => wholeDigest(shown, 'final', 'abc')).toThrow(/8 or more/);
  });
});
