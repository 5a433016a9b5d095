import { z } from 'zod';

const key = z
  .string('must be a text of your own, one per request')
  .regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 visible ASCII characters, one per request');

const body = z.strictObject({
  idempotencyKey: key,
  customer: z
    .string('must be the customer’s id as text')
    .min(1, 'must be the customer’s id')
    .max(200)
    .regex(/^\P{Cc}+$/u, 'must not hold control characters'),
  kind: z.string('must be a kind of request').min(1, 'must be a kind of request').max(63),
  payload: z.record(z.string(), z.unknown(), 'must be an object'),
});

export type RequestBody = z.output<typeof body>;

/** A body that was read, or what to write instead, line by line. */
export type ReadBody = { ok: true; body: RequestBody } | { ok: false; problems: string[] };

const EXAMPLE = '{"idempotencyKey":"7f3c-1","customer":"1001","kind":"order","payload":{}}';

/** Reads the body of `POST /requests`. Problems name fields, never values. */
export function readBody(text: string): ReadBody {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, problems: [`the body is not JSON; send something like ${EXAMPLE}`] };
  }
  const parsed = body.safeParse(json);
  if (!parsed.success) {
    return { ok: false, problems: parsed.error.issues.map(problem).concat(`send something like ${EXAMPLE}`) };
  }
  if (deeperThan(DEEPEST, parsed.data.payload))
    return {
      ok: false,
      problems: [`payload nests deeper than ${DEEPEST} levels; send what the kind of request needs`],
    };
  return { ok: true, body: parsed.data };
}

/** Of the payload: far deeper ones are beyond what databases and their drivers read. */
const DEEPEST = 100;

function deeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => deeperThan(levels - 1, each));
}

function problem(issue: z.core.$ZodIssue): string {
  const field = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return `unknown field ${issue.keys.map((each) => each.slice(0, 40)).join(', ')}`;
  return field === '' ? 'the body must be an object' : `${field} ${issue.message}`;
}
