import { readFileSync, statSync } from 'node:fs';

/** Where the keys lie: one to a line, `id` and 32 bytes in base64. The first encrypts, all decrypt. */
export const KEYS_VARIABLE = 'CUTOVER_PAYLOAD_KEYS_FILE';

export interface PayloadKey {
  id: string;
  /** 32 bytes. */
  key: Buffer;
}

const KEY_BYTES = 32;
const LINE = /^([A-Za-z0-9._-]{1,64})\s+([A-Za-z0-9+/]+={0,2})$/;
const OTHERS = 0o077;

export class KeysError extends Error {
  override name = 'KeysError';
  constructor(
    message: string,
    readonly remedy: string,
  ) {
    super(message);
  }
}

/** Reads the keys; none when the variable is not set. Throws a KeysError that names the line, never the key. */
export function readKeys(path: string | undefined): PayloadKey[] {
  if (!path) return [];
  const text = read(path);
  const keys = text.split('\n').flatMap((line, index) => parse(line.trim(), `${path}:${index + 1}`));
  if (keys.length === 0) throw new KeysError(`${path} (${KEYS_VARIABLE}) holds no key`, HOW);
  const twice = keys.find(({ id }, index) => keys.findIndex((other) => other.id === id) !== index);
  if (twice) throw new KeysError(`${path} names the key ${twice.id} twice`, 'give each key an id of its own');
  return keys;
}

const HOW = `write one with: printf 'night-1 %s\\n' "$(openssl rand -base64 32)" > FILE && chmod 600 FILE`;

function read(path: string): string {
  try {
    if ((statSync(path).mode & OTHERS) !== 0)
      throw new KeysError(`others may read the keys in ${path} (${KEYS_VARIABLE})`, `run: chmod 600 ${path}`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof KeysError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new KeysError(`${path} (${KEYS_VARIABLE}) cannot be read: ${code}`, HOW);
  }
}

function parse(line: string, place: string): PayloadKey[] {
  if (line === '' || line.startsWith('#')) return [];
  const [, id, encoded] = LINE.exec(line) ?? [];
  const key = Buffer.from(encoded ?? '', 'base64');
  if (id === undefined || key.length !== KEY_BYTES)
    throw new KeysError(`${place}: expected an id and ${KEY_BYTES} bytes in base64`, HOW);
  return [{ id, key }];
}
