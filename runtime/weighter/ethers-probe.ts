import { FetchRequest, JsonRpcProvider, Network } from 'ethers';
import type { Observation } from '../routing/weight';
import { ProbeError, type ProbeErrorCode, toProbeError } from './probe-error';
import { ProbeTransport } from './probe-transport';

/** What asks one server; closed when the server is gone. */
export interface Probe {
  /** Never rejects, and resolves within its time-out. */
  run(signal: AbortSignal): Promise<ProbeResult>;
  close(): void;
}

export interface ProbeResult {
  readonly observation: Observation;
  /** Of a failure. */
  readonly code?: ProbeErrorCode;
}

/** Blocks look the same on every chain, and asking for the id would be a second call that is billed. */
const ANY_NETWORK = Network.from(1);

/**
 * Asks a server for its newest block, and takes the time: number, timestamp and latency with one call, where the
 * guide made two, of which the second failed when another machine behind the same URL had not got that block.
 */
export class EthersProbe implements Probe {
  private readonly transport: ProbeTransport;

  constructor(
    url: string,
    private readonly timeoutMs: number,
  ) {
    this.transport = new ProbeTransport(url);
  }

  async run(signal: AbortSignal): Promise<ProbeResult> {
    const ended = new AbortController();
    const stop = (): void => ended.abort();
    signal.addEventListener('abort', stop);
    const timer = setTimeout(stop, this.timeoutMs);
    try {
      if (signal.aborted) stop();
      return { observation: await this.observe(ended.signal) };
    } catch (error) {
      const { code, message } = ended.signal.aborted ? this.givenUp(signal) : toProbeError(error);
      return { observation: { answered: false, reason: message }, code };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  close(): void {
    this.transport.close();
  }

  private givenUp(signal: AbortSignal): ProbeError {
    if (signal.aborted) return new ProbeError('ABORTED', 'was not waited for');
    return new ProbeError('TIMEOUT', `no answer within ${this.timeoutMs} ms`);
  }

  private async observe(signal: AbortSignal): Promise<Observation> {
    const provider = this.provider(signal);
    try {
      const asked = performance.now();
      const block = await Promise.race([provider.getBlock('latest'), rejectWhenAborted(signal)]);
      const latencyMs = performance.now() - asked;
      if (block === null) throw new ProbeError('BAD_ANSWER', 'answered no block');
      const { number: blockNumber, timestamp } = block;
      return { answered: true, blockNumber, blockTime: timestamp * 1000, latencyMs };
    } finally {
      provider.destroy();
    }
  }

  /** A new one each time, because it belongs to the signal; the connections are the transport's and stay. */
  private provider(signal: AbortSignal): JsonRpcProvider {
    const request = new FetchRequest(this.transport.plainUrl);
    request.timeout = this.timeoutMs;
    request.setThrottleParams({ maxAttempts: 1 });
    request.getUrlFunc = (sent) => this.transport.send(sent, signal);
    return new JsonRpcProvider(request, ANY_NETWORK, {
      staticNetwork: ANY_NETWORK,
      batchMaxCount: 1,
      // ethers would answer a second question within this time by itself.
      cacheTimeout: -1,
    });
  }
}

/** Whatever ethers does with the end of its request. */
function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(new ProbeError('ABORTED', 'was not waited for'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
