import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { FetchRequest, GetUrlResponse } from 'ethers';
import { ProbeError } from './probe-error';

/** Connections are kept for less than the minute after which servers and their load balancers usually close them. */
const KEEP_IDLE_MS = 30_000;
const MAX_BODY_BYTES = 4 * 2 ** 20;

/**
 * How ethers' requests reach one server. Its own way follows redirects (with the headers, to wherever they point),
 * repeats what was answered with 429 up to twelve times, goes on reading whatever comes, and cannot be stopped.
 */
export class ProbeTransport {
  private readonly agent: HttpAgent;
  private readonly url: URL;
  private readonly authorization: string | undefined;

  constructor(url: string) {
    this.url = new URL(url);
    const { username, password } = this.url;
    if (username !== '' || password !== '') {
      const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      this.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
      this.url.username = this.url.password = '';
    }
    const Agent = this.url.protocol === 'https:' ? HttpsAgent : HttpAgent;
    this.agent = new Agent({ keepAlive: true, timeout: KEEP_IDLE_MS });
  }

  /** The address without credentials, for ethers. */
  get plainUrl(): string {
    return this.url.href;
  }

  /** @throws ProbeError, also for every status but 200 */
  async send(request: FetchRequest, signal: AbortSignal): Promise<GetUrlResponse> {
    try {
      return await this.sendOnce(request, signal);
    } catch (error) {
      // The server closed the kept connection just as it was used again: that says nothing about the server.
      if (error instanceof StaleConnection) return this.sendOnce(request, signal);
      throw error;
    }
  }

  close(): void {
    this.agent.destroy();
  }

  private sendOnce(request: FetchRequest, signal: AbortSignal): Promise<GetUrlResponse> {
    return new Promise((resolve, reject) => {
      const start = this.url.protocol === 'https:' ? httpsRequest : httpRequest;
      const headers: Record<string, string> = { ...request.headers, 'accept-encoding': 'identity' };
      if (this.authorization !== undefined) headers['authorization'] = this.authorization;
      const { hostname } = this.url;
      const sent: ClientRequest = start(this.url, {
        agent: this.agent,
        method: 'POST',
        headers,
        signal,
        // Node would announce an address as a server name, which TLS forbids.
        ...(isIP(hostname.replace(/^\[|\]$/g, '')) === 0 && { servername: hostname }),
      });
      let answered = false;
      sent.once('response', (response) => {
        answered = true;
        collect(response).then(resolve, reject);
      });
      sent.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = !answered && sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        reject(isStale && !signal.aborted ? new StaleConnection() : unreachable(error));
      });
      sent.end(request.body ?? undefined);
    });
  }
}

class StaleConnection extends Error {}

async function collect(response: IncomingMessage): Promise<GetUrlResponse> {
  const { statusCode = 0 } = response;
  if (statusCode !== 200) {
    response.destroy();
    throw new ProbeError('HTTP_STATUS', `answered HTTP ${statusCode}`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      // Leaving the loop destroys the response.
      if (bytes > MAX_BODY_BYTES) throw new ProbeError('BAD_ANSWER', 'answered more than a block');
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof ProbeError ? error : unreachable(error as NodeJS.ErrnoException);
  }
  return { statusCode, statusMessage: '', headers: {}, body: Buffer.concat(chunks) };
}

function unreachable({ code = 'unknown' }: NodeJS.ErrnoException): ProbeError {
  return new ProbeError('UNREACHABLE', `cannot be reached: ${code}`);
}
