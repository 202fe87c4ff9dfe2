import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** A name server on 127.0.0.1 that knows what it was told: one IPv4 address a name, and no other records (RFC 1035). */
export class DnsServer {
  /** `false` makes it silent, as one that is down. */
  answers = true;
  readonly addresses = new Map<string, string>();

  private constructor(private readonly socket: Socket) {
    socket.on('message', (query, { port, address }) => {
      if (this.answers) socket.send(this.answer(query), port, address);
    });
  }

  static async start(): Promise<DnsServer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new DnsServer(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  async close(): Promise<void> {
    this.socket.close();
    await once(this.socket, 'close');
  }

  private answer(query: Buffer): Buffer {
    const labels: string[] = [];
    let at = HEADER_BYTES;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const question = query.subarray(HEADER_BYTES, at + 5);
    const address = this.addresses.get(labels.join('.').toLowerCase());
    const wantsA = query.readUInt16BE(at + 1) === TYPE_A;
    const header = Buffer.alloc(HEADER_BYTES);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(address === undefined ? NAME_ERROR : ANSWER, 2);
    header.writeUInt16BE(1, 4);
    if (address === undefined || !wantsA) return Buffer.concat([header, question]);
    header.writeUInt16BE(1, 6);
    // A pointer to the name in the question, type A, class IN, 1 s, 4 bytes.
    const record = Buffer.from([
      0xc0,
      HEADER_BYTES,
      0,
      TYPE_A,
      0,
      1,
      0,
      0,
      0,
      1,
      0,
      4,
      ...address.split('.').map(Number),
    ]);
    return Buffer.concat([header, question, record]);
  }
}

const HEADER_BYTES = 12;
const TYPE_A = 1;
const ANSWER = 0x8180;
const NAME_ERROR = 0x8183;
