/** Everything in it as text, the bytes of payloads too, and what stands in base64 once more in the clear. */
export function textOf(value: unknown): string {
  const text = JSON.stringify(inTheClear(value)) ?? '';
  const encoded = text.match(/[A-Za-z0-9+/_-]{32,}={0,2}/g) ?? [];
  return [text, ...encoded.map((piece) => Buffer.from(piece, 'base64').toString())].join('\n');
}

/** Before JSON sees them: a Buffer turns itself into a list of numbers. */
function inTheClear(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map(inTheClear);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inTheClear(each)]));
}
