import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { KEYS_VARIABLE, type PayloadKey } from './keys';

const Message = temporal.api.common.v1.Payload;
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** The names Temporal's own samples use. */
const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';

const textOf = (payload: Payload, field: string): string | undefined => {
  const bytes = payload.metadata?.[field];
  return bytes ? Buffer.from(bytes).toString('utf8') : undefined;
};

/** The key a payload was encrypted with; undefined when it is not encrypted. */
export const keyIdOf = (payload: Payload): string | undefined =>
  textOf(payload, 'encoding') === ENCODING ? (textOf(payload, KEY_ID) ?? '') : undefined;

/**
 * Encrypts whole payloads by AES-256-GCM: nonce, ciphertext and tag are the data, the id of the key is authenticated with
 * them. Without keys nothing is encrypted, and an encrypted payload is refused with the variable to set.
 */
export function payloadCodec(keys: readonly PayloadKey[]): PayloadCodec {
  const [first] = keys;
  return {
    encode: (payloads) => Promise.resolve(first ? payloads.map((payload) => encrypt(payload, first)) : payloads),
    /** Async: what it throws must be a rejection. */
    decode: async (payloads) => payloads.map((payload) => decrypt(payload, keys)),
  };
}

function encrypt(payload: Payload, { id, key }: PayloadKey): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(id));
  const hidden = Buffer.concat([cipher.update(Message.encode(payload).finish()), cipher.final()]);
  return {
    metadata: { encoding: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(id) },
    data: Buffer.concat([nonce, hidden, cipher.getAuthTag()]),
  };
}

function decrypt(payload: Payload, keys: readonly PayloadKey[]): Payload {
  const id = keyIdOf(payload);
  if (id === undefined) return payload;
  const found = keys.find((key) => key.id === id);
  if (!found)
    throw new Error(
      keys.length === 0
        ? `the data is encrypted with the key ${id}: set ${KEYS_VARIABLE} to the file that holds it`
        : `the data is encrypted with the key ${id}, which the file of ${KEYS_VARIABLE} does not hold: add it there`,
    );
  const bytes = Buffer.from(payload.data ?? new Uint8Array());
  const decipher = createDecipheriv(CIPHER, found.key, bytes.subarray(0, NONCE_BYTES));
  decipher.setAAD(Buffer.from(id)).setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const shown = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return Message.decode(shown);
  } catch {
    throw new Error(`the key ${id} in the file of ${KEYS_VARIABLE} is not the one the data was encrypted with`);
  }
}
