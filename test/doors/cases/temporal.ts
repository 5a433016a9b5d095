const LONG = 'x'.repeat(600);

export const vote = { person: 'ben', gate: 'go-night', decision: 'go' };

/** Understood, and refused by the run: what is wrong, the Update, its input, and what the sender reads. */
export const REFUSED: readonly [string, string, unknown, RegExp][] = [
  [
    'somebody nobody knows',
    'castVote',
    { ...vote, person: 'eve' },
    /nobody in the plan is called .*eve.*ada, ben, cas/,
  ],
  [
    'a gate there is not',
    'castVote',
    { ...vote, gate: 'nowhere' },
    /no gate .*nowhere.* here; gates: go-night, final, open-doors/,
  ],
  ['a gate called as objects are made', 'castVote', { ...vote, gate: '__proto__' }, /no gate .*__proto__/],
  ['a gate that is not open yet', 'castVote', { ...vote, gate: 'final' }, /gate final is not open yet/],
  ['the lead who started', 'castVote', { ...vote, person: 'ada' }, /whoever started the run does not vote on it/],
  [
    'somebody without the role',
    'castVote',
    { ...vote, person: 'cas' },
    /cas may not vote at gate go-night; it asks owner \(ben\)/,
  ],
  [
    'evidence that was never shown',
    'castVote',
    { ...vote, digest: 'f'.repeat(64) },
    /never showed evidence ffffffffffff; read it again and vote/,
  ],
  [
    'a step there is not',
    'sayGo',
    { person: 'ada', step: 'leap' },
    /no step .*leap.* here; steps: preload, catchUp, intake/,
  ],
  ['a step that asks nobody', 'sayGo', { person: 'ada', step: 'convert' }, /step convert asks nobody for a go/],
  [
    'a step that does not wait yet',
    'sayGo',
    { person: 'ada', step: 'switch' },
    /step switch does not wait for a go yet: pending/,
  ],
  ['a task that is none', 'completeTask', { person: 'ada', step: 'freeze' }, /step freeze is a freeze, not a task/],
  ['a task taken up that is none', 'startTask', { person: 'ada', step: 'freeze' }, /nothing a person does/],
  ['a block of a step there is not', 'blockTask', { person: 'ada', step: 'leap', reason: 'x' }, /no step .*leap/],
  [
    'a step given to somebody without its role',
    'reassign',
    { person: 'ada', step: 'freeze', to: 'cas' },
    /cas holds none of the roles step freeze waits for: lead \(ada\)/,
  ],
  [
    'a step that asks nobody given away',
    'reassign',
    { person: 'ada', step: 'convert', to: 'ben' },
    /step convert asks nobody/,
  ],
  [
    'a checklist that is none',
    'recordCheck',
    { person: 'ada', step: 'freeze', item: 'x', ok: true },
    /is a freeze, not a checklist/,
  ],
  [
    'a step that cannot be skipped',
    'skipStep',
    { person: 'ada', step: 'freeze', reason: 'hurry' },
    /cannot be skipped: the switch rests on freeze/,
  ],
  ['a step that has not failed', 'retryStep', { person: 'ada', step: 'freeze' }, /step freeze has not failed: pending/],
  ['a resume without a pause', 'resume', { person: 'ada' }, /the run is not paused/],
  ['an incident nobody raised', 'resolveIncident', { person: 'ada', incident: 'fire' }, /no incident .*fire/],
  [
    'an incident called as objects are made',
    'raiseIncident',
    { person: 'ada', incident: '__proto__', severity: 'low', title: 't' },
    /cannot be called __proto__/,
  ],
  [
    'a window there is not',
    'reschedule',
    { person: 'ada', window: 'noon', opensAt: 1, closesAt: 2 },
    /no window .*noon.*; windows: always/,
  ],
  [
    'a window that closes before it opens',
    'reschedule',
    { person: 'ada', window: 'always', opensAt: 2e12, closesAt: 1e12 },
    /a window closes after it opens/,
  ],
  [
    'an amendment by documents nobody keeps',
    'amend',
    { person: 'ada', runbook: 'a'.repeat(64), plan: 'b'.repeat(64) },
    /a cutover is amended as a whole: say it to the cutover|no runbook aaaaaaaaaaaa in control/,
  ],
  [
    'a window in the past',
    'reschedule',
    { person: 'ada', window: 'always', opensAt: 1, closesAt: 2 },
    /lies in the past/,
  ],
];

/** Not understood: turned away before it reaches the run. */
export const MALFORMED: readonly [string, string, unknown, RegExp][] = [
  ['not JSON at all', 'castVote', '{"person":', /not valid JSON/i],
  ['a text instead of a map', 'castVote', '"go"', /castVote takes Vote go or no-go at a gate: \{"person","gate"/],
  ['null', 'pause', 'null', /pause takes Start no new step: \{"person","reason"\}/],
  ['a field left out', 'castVote', { person: 'ben', decision: 'go' }, /castVote takes/],
  ['a field too many', 'castVote', { ...vote, force: true }, /castVote takes/],
  ['a decision that is none', 'castVote', { ...vote, decision: 'maybe' }, /"go"\|"no-go"/],
  ['a reason of 600 letters', 'castVote', { ...vote, reason: LONG }, /castVote takes/],
  [
    'instants that are none',
    'reschedule',
    { person: 'ada', window: 'always', opensAt: 'soon', closesAt: 'later' },
    /reschedule takes/,
  ],
  ['a block without a reason', 'blockTask', { person: 'ada', step: 'freeze' }, /blockTask takes Say what keeps/],
  ['a step given to nobody', 'reassign', { person: 'ada', step: 'freeze', to: '' }, /reassign takes Give a step/],
  [
    'an amendment by the name of a file',
    'amend',
    { person: 'ada', runbook: 'runbook.yaml', plan: 'b' },
    /amend takes Go on/,
  ],
  ['a message there is not', 'launch', {}, /launch/],
];

export const SIGNALS: readonly [string, string, string[], RegExp][] = [
  ['nothing in it', 'goNoGo', [], /a malformed castVote signal was refused; it takes Vote go or no-go/],
  ['the wrong fields', 'goNoGo', ['{"who":"ben"}'], /a malformed castVote signal was refused/],
  ['a number', 'pauseRun', ['7'], /a malformed pause signal was refused; it takes Start no new step/],
  [
    'somebody nobody knows',
    'rollback',
    ['{"person":"eve","reason":"mischief"}'],
    /requestRollback by eve: nobody in the plan is called "eve"/,
  ],
  [
    'the lead who started',
    'goNoGo',
    ['{"person":"ada","gate":"go-night","decision":"go"}'],
    /vote by ada: whoever started the run does not vote/,
  ],
];

/** Runs started by hand: what is wrong, the workflow, its id, its input, and why it fails. */
export const STARTS: readonly [string, string, string, object, RegExp][] = [
  [
    'documents nobody keeps',
    'cutover',
    'cutover/tiny/lost',
    { runbook: 'a'.repeat(64), plan: 'b', startedBy: 'ada' },
    /no runbook aaaaaaaaaaaa in control: `cutover start` puts it there/,
  ],
  ['nothing', 'cutover', 'cutover/tiny/empty', {}, /a run is started with .*runbook.*plan.*`cutover start` does it/],
  [
    'a wave there is not',
    'wave',
    'cutover/tiny/none/wave-1',
    { runbook: 'a'.repeat(64), plan: 'b', startedBy: 'ada', cutoverWorkflowId: 'cutover/tiny/none', wave: 1 },
    /no runbook aaaaaaaaaaaa in control/,
  ],
];
