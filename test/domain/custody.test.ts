import { readCustody, WAVE_STATES } from '../../domain/custody';

it.each(WAVE_STATES.flatMap((source) => WAVE_STATES.map((target) => [source, target] as const)))(
  'reads source %s and target %s as exactly one situation',
  (source, target) => {
    const kind = readCustody({ source, target }).kind;
    const owners = Number(source !== 'sealed') + Number(target !== 'sealed');
    if (owners === 2) expect(kind).toBe('two-owners');
    else if (owners === 0) expect(kind).toBe('sealed-not-open');
    else expect(kind).toBe(source === 'sealed' ? 'owned-by-target' : 'owned-by-source');
  },
);
