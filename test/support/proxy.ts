import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Messages, saysIdle, statementOf } from './postgres-wire';

/**
 * A moment in a conversation with PostgreSQL. `sent`: a statement that matches is on its way and does not arrive. `committed`: its
 * transaction is over at the server, and the client is never told.
 */
export interface Moment {
  statement: RegExp;
  when: 'sent' | 'committed';
}

interface Ambush {
  moment: Moment;
  spring: () => void;
  sprung: boolean;
}

/** A client and its server. `armed`: ambushes of its transaction, waiting for the end of it. */
interface Pair {
  client: Socket;
  server: Socket;
  armed: Set<Ambush>;
}

/** A way to a server on loopback that can be cut, held up, or lost at a moment of a PostgreSQL conversation. */
export class Proxy {
  private readonly pairs = new Set<Pair>();
  private readonly ambushes = new Set<Ambush>();
  private state: 'open' | 'cut' | 'stalled' = 'open';

  private constructor(
    private readonly server: Server,
    private readonly to: number,
    private readonly speaks: 'postgres' | 'anything',
  ) {
    server.on('connection', (client) => this.join(client));
  }

  /** `to` is the server's port. */
  static async open(to: number, speaks: 'postgres' | 'anything'): Promise<Proxy> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new Proxy(server, to, speaks);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends every connection, and each new one at once. */
  cut(): void {
    this.state = 'cut';
    for (const pair of this.pairs) part(pair);
  }

  /** Nothing passes any more and nobody is told: what is said waits until `heal`. */
  stall(): void {
    this.state = 'stalled';
    for (const { client, server } of this.pairs) for (const socket of [client, server]) socket.pause();
  }

  /** Everything passes again. */
  heal(): void {
    this.state = 'open';
    for (const { client, server } of this.pairs) for (const socket of [client, server]) socket.resume();
  }

  /** Runs `spring` at the first such moment, and ends that connection. Says later whether the moment came. */
  ambush(moment: Moment, spring: () => void = () => undefined): { readonly sprung: boolean } {
    const ambush: Ambush = { moment, spring, sprung: false };
    this.ambushes.add(ambush);
    return ambush;
  }

  /** As at first: everything passes, nothing is waited for. */
  clear(): void {
    this.ambushes.clear();
    this.heal();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private join(client: Socket): void {
    client.on('error', () => undefined);
    if (this.state === 'cut') {
      client.destroy();
      return;
    }
    const server = connect({ port: this.to, host: '127.0.0.1', noDelay: true });
    // To a port nobody listens on a connection may meet itself, and would keep the port from the server that comes back.
    server.once('connect', () => server.localPort === this.to && server.destroy());
    const pair: Pair = { client, server, armed: new Set() };
    this.pairs.add(pair);
    for (const socket of [client, server]) {
      socket.on('error', () => undefined); // the other end is told by the close below
      socket.once('close', () => {
        this.pairs.delete(pair);
        part(pair);
      });
      if (this.state === 'stalled') socket.pause();
    }
    const [said, heard] = [new Messages(1), new Messages(0)];
    const watched = this.speaks === 'postgres';
    client.on('data', (bytes: Buffer) => {
      const sprung = watched && said.push(bytes).some((message) => this.says(pair, message));
      if (!sprung) server.write(bytes);
    });
    server.on('data', (bytes: Buffer) => {
      const sprung = watched && heard.push(bytes).some((message) => this.hears(pair, message));
      if (!sprung) client.write(bytes);
    });
  }

  private says(pair: Pair, message: Buffer): boolean {
    if (this.ambushes.size === 0) return false;
    const text = statementOf(message);
    if (text === null) return false;
    for (const ambush of this.ambushes) {
      if (!ambush.moment.statement.test(text)) continue;
      if (ambush.moment.when === 'sent') return this.spring(pair, ambush);
      pair.armed.add(ambush);
    }
    return false;
  }

  private hears(pair: Pair, message: Buffer): boolean {
    if (pair.armed.size === 0 || !saysIdle(message)) return false;
    const [ambush] = [...pair.armed].filter(({ sprung }) => !sprung);
    pair.armed.clear();
    return ambush !== undefined && this.spring(pair, ambush);
  }

  private spring(pair: Pair, ambush: Ambush): boolean {
    ambush.sprung = true;
    this.ambushes.delete(ambush);
    ambush.spring();
    part(pair);
    return true;
  }
}

function part({ client, server }: { client: Socket; server: Socket }): void {
  client.destroy();
  server.destroy();
}
