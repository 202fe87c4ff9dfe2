import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What is sent for a line of commands; returning nothing leaves the client waiting. */
export type AdminScript = (line: string, socket: Socket) => string | undefined;

/** HAProxy's admin socket as a test wants it: half answers, garbage, silence. */
export class ScriptedAdminSocket {
  /** Every line that arrived. */
  readonly lines: string[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    public script: AdminScript,
  ) {}

  static async start(script: AdminScript, port = 0): Promise<ScriptedAdminSocket> {
    const server = createServer();
    const scripted = new ScriptedAdminSocket(server, script);
    server.on('connection', (socket) => scripted.serve(socket));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return scripted;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', port: (this.server.address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket)).on('error', () => undefined);
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
      if (!received.endsWith('\n')) return;
      const line = received.trimEnd();
      received = '';
      this.lines.push(line);
      const answer = this.script(line, socket);
      if (answer !== undefined) socket.write(answer);
    });
  }
}

/** The answers as HAProxy 2.6 gives them after `prompt`: each with its own line feed, then an empty line and `> `. */
export function prompted(...answers: readonly string[]): string {
  return ['', ...answers].map((answer) => `${answer === '' ? '' : `${answer}\n`}\n> `).join('');
}
