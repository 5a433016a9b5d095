/** What a client says to PostgreSQL and hears back, as far as a proxy must know it: statements, and when a transaction is over. */

const QUERY = 'Q'.charCodeAt(0);
const PARSE = 'P'.charCodeAt(0);
const READY = 'Z'.charCodeAt(0);
const IDLE = 'I'.charCodeAt(0);
const HEADER_BYTES = 5;

/** Cuts a stream into messages: one byte for the kind, four for the length. `untyped` messages at its start have no kind. */
export class Messages {
  private rest: Buffer = Buffer.alloc(0);

  constructor(private untyped: number) {}

  /** The complete messages so far, each with its header. */
  push(bytes: Buffer): Buffer[] {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    const found: Buffer[] = [];
    for (;;) {
      const lengthAt = this.untyped > 0 ? 0 : 1;
      if (this.rest.length < lengthAt + 4) return found;
      const size = lengthAt + this.rest.readUInt32BE(lengthAt);
      if (this.rest.length < size) return found;
      found.push(this.rest.subarray(0, size));
      this.rest = this.rest.subarray(size);
      if (this.untyped > 0) this.untyped -= 1;
    }
  }
}

/** The text of a statement the client sends, null for every other message. */
export function statementOf(message: Buffer): string | null {
  if (message[0] === QUERY) return message.toString('utf8', HEADER_BYTES, message.length - 1);
  if (message[0] !== PARSE) return null;
  const from = message.indexOf(0, HEADER_BYTES) + 1;
  return message.toString('utf8', from, message.indexOf(0, from));
}

/** The server is ready and in no transaction: what was asked for is committed, or never will be. */
export const saysIdle = (message: Buffer): boolean => message[0] === READY && message[HEADER_BYTES] === IDLE;
