export const body = (more: object = {}): object => ({
  idempotencyKey: 'k',
  customer: '1001',
  kind: 'order',
  payload: {},
  ...more,
});

/** What is wrong, the body, the answer's status, and what the sender reads. */
export const BODIES: readonly [string, string, number, RegExp][] = [
  ['nothing', '', 400, /the body is not JSON; send something like/],
  ['a list', '[]', 400, /must be an object/],
  ['a bare null', 'null', 400, /must be an object/],
  ['a payload that is a text', JSON.stringify(body({ payload: 'x' })), 400, /payload must be an object/],
  ['a field too many', JSON.stringify(body({ force: true })), 400, /unknown field force/],
  [
    'a key with a line break',
    JSON.stringify(body({ idempotencyKey: 'a\nb' })),
    400,
    /idempotencyKey must be 1 to 200 visible/,
  ],
  [
    'a key of 201 letters',
    JSON.stringify(body({ idempotencyKey: 'k'.repeat(201) })),
    400,
    /idempotencyKey must be 1 to 200/,
  ],
  [
    'a customer with a control character',
    JSON.stringify(body({ customer: '1\u0000' })),
    400,
    /customer must not hold control characters/,
  ],
  [
    'a customer that is a number',
    JSON.stringify(body({ customer: 1001 })),
    400,
    /customer must be the customer’s id as text/,
  ],
  ['a kind there is not', JSON.stringify(body({ kind: 'gift' })), 404, /there is no such kind of request.*order/],
  ['a kind called as objects are made', JSON.stringify(body({ kind: '__proto__' })), 404, /no such kind/],
  [
    'a payload with U+0000',
    JSON.stringify(body({ payload: { a: '\u0000' } })),
    400,
    /text or numbers that cannot be stored/,
  ],
  [
    'a body beyond what it takes',
    JSON.stringify(body({ payload: { a: 'x'.repeat(70_000) } })),
    413,
    /larger than 64 KiB/,
  ],
  [
    'a key left out',
    JSON.stringify({ customer: '1001', kind: 'order', payload: {} }),
    400,
    /idempotencyKey must be a text of your own/,
  ],
  [
    'a customer left out',
    JSON.stringify({ idempotencyKey: 'k', kind: 'order', payload: {} }),
    400,
    /customer must be the customer’s id/,
  ],
  [
    'a payload of ten thousand levels',
    JSON.stringify(body()).replace('{}', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
    400,
    /payload nests deeper than 100 levels/,
  ],
  ['half a character', JSON.stringify(body()).replace('{}', '{"a":"\\ud800"}'), 400, /cannot be stored/],
  ['a number beyond any column', JSON.stringify(body()).replace('{}', '{"a":1e999999}'), 400, /cannot be stored/],
];

const ORDER = Buffer.from(JSON.stringify(body()));

/** Bytes and headers: what is wrong, the body, its headers, the status, and what the sender reads. */
export const RAW: readonly [string, Buffer, Record<string, string>, number, RegExp][] = [
  ['ten megabytes, as announced', ORDER, { 'content-length': '10000000' }, 413, /larger than 64 KiB/],
  ['a stream without end', Buffer.alloc(200_000, ' '), { 'transfer-encoding': 'chunked' }, 413, /larger than 64 KiB/],
  [
    'Latin-1',
    Buffer.from(JSON.stringify(body({ payload: { a: 'Z\xfcrich' } })), 'latin1'),
    {},
    400,
    /not UTF-8; send JSON in UTF-8/,
  ],
  [
    'a form',
    Buffer.from('customer=1001&kind=order'),
    { 'content-type': 'application/x-www-form-urlencoded' },
    415,
    /must be JSON; send content-type: application\/json/,
  ],
  ['JSON that is called a form', ORDER, { 'content-type': 'multipart/form-data; boundary=x' }, 415, /must be JSON/],
  ['JSON that is called XML', ORDER, { 'content-type': 'application/xml' }, 415, /must be JSON/],
];

/** What is wrong, the method, the path byte by byte, and the status. */
export const PATHS: readonly [string, string, string, number][] = [
  ['a path that climbs', 'GET', '/customers/../../etc/passwd', 404],
  ['a method there is not', 'DELETE', '/requests/k', 404],
  ['a key nobody used', 'GET', '/requests/nobody', 404],
  ['a path that is no text', 'GET', '/requests/%ff%00', 404],
];
