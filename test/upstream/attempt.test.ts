import type { Dispatcher } from 'undici';
import { type Answer, Attempt, type AttemptOptions } from '../../runtime/upstream/attempt';
import { NodeError } from '../../runtime/upstream/errors';

/** What undici hands to a handler, and what the handler did with it. */
class Wire {
  readonly attempt: Attempt;
  aborted: unknown;
  ends = 0;
  pauses = 0;
  resumes = 0;
  private readonly controller = {
    pause: () => this.pauses++,
    resume: () => this.resumes++,
    abort: (reason: unknown) => (this.aborted = reason),
  } as unknown as Dispatcher.DispatchController;

  constructor(options: Partial<AttemptOptions> = {}) {
    this.attempt = new Attempt({
      node: 'n',
      id: 7,
      timeoutMs: 1000,
      deadlineMs: 5000,
      maxResponseBytes: 1_000_000,
      holdBytes: 64 * 1024,
      viaHaproxy: false,
      onEnd: () => this.ends++,
      ...options,
    });
    // A rejection that nobody awaits yet is no defect here.
    this.attempt.answer.catch(() => undefined);
  }

  start(): this {
    this.attempt.onRequestStart(this.controller);
    return this;
  }

  head(status = 200, headers: Record<string, string> = {}): this {
    this.attempt.onResponseStart(this.controller, status, headers);
    return this;
  }

  data(text: string | Buffer): this {
    this.attempt.onResponseData(this.controller, Buffer.from(text));
    return this;
  }

  end(): this {
    this.attempt.onResponseEnd();
    return this;
  }

  error(error: Error): this {
    this.attempt.onResponseError(this.controller, error);
    return this;
  }

  answer(status: number, body: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.start().head(status, headers).data(body).end().attempt.answer;
  }
}

async function failure(answer: Promise<Answer>): Promise<NodeError> {
  return answer.then(
    () => {
      throw new Error('it was answered');
    },
    (error: unknown) => error as NodeError,
  );
}

const GOOD = '{"jsonrpc":"2.0","id":7,"result":"0x1"}';

describe('Attempt', () => {
  it('gives the result as bytes, whatever pieces it came in', async () => {
    const wire = new Wire().start().head();
    for (const byte of GOOD) wire.data(byte);
    expect(await wire.end().attempt.answer).toEqual({ kind: 'result', result: Buffer.from('"0x1"'), isNull: false });
  });

  it.each([
    [429, 'slow down', 'RATE_LIMITED'],
    [429, GOOD, 'RATE_LIMITED'],
    [401, '{"id":7,"error":{"code":1,"message":"x"}}', 'UNAUTHORIZED'],
    [403, '', 'UNAUTHORIZED'],
    [500, GOOD, 'SERVER_ERROR'],
    [503, '<html>', 'SERVER_ERROR'],
    [301, GOOD, 'REDIRECT'],
    [400, GOOD, 'NOT_TAKEN'],
    [413, '<html>', 'NOT_TAKEN'],
    [414, '', 'NOT_TAKEN'],
    [431, '', 'NOT_TAKEN'],
    [404, 'no', 'BAD_RESPONSE'],
    [204, '', 'BAD_RESPONSE'],
    [200, '', 'BAD_RESPONSE'],
    [200, '<html>', 'BAD_RESPONSE'],
    [200, GOOD.replace('7', '8'), 'BAD_RESPONSE'],
    [200, `[${GOOD}]`, 'BAD_RESPONSE'],
  ])('is failed by %i with %j: %s', async (status, body, code) => {
    const error = await failure(new Wire().answer(status, body));
    expect(error).toMatchObject({ code, sent: true });
    if (status >= 400) expect(error.status).toBe(status);
  });

  it('takes the error of a node that comes with a 4xx', async () => {
    const body = '{"id":7,"error":{"code":3,"message":"reverted"}}';
    expect(await new Wire().answer(400, body)).toMatchObject({ kind: 'error', code: 3, message: 'reverted' });
  });

  it('keeps what a node wrote out of its message: it may quote a key', async () => {
    const body = '{"id":null,"error":{"code":-32000,"message":"bad key canary\\nat https://n.example/canary"}}';
    const error = await failure(new Wire().answer(200, body));
    expect(error.message).toBe('n: the answer has another id');
  });

  it('tells how long the node wants to be left alone', async () => {
    expect(await failure(new Wire().answer(429, '', { 'retry-after': '3' }))).toMatchObject({ retryAfterMs: 3000 });
    expect(await failure(new Wire().answer(503, '', { 'retry-after': '2' }))).toMatchObject({ retryAfterMs: 2000 });
  });

  it('refuses an answer that is compressed, which nobody asked for', async () => {
    expect(await failure(new Wire().answer(200, GOOD, { 'content-encoding': 'gzip' }))).toMatchObject({
      code: 'BAD_RESPONSE',
    });
    expect(await new Wire().answer(200, GOOD, { 'content-encoding': 'identity' })).toHaveProperty('result');
  });

  it('is not sent where it ended before the request was written', async () => {
    const never = new Wire().error(new Error('connect ECONNREFUSED'));
    expect(await failure(never.attempt.answer)).toMatchObject({ code: 'CONNECT_FAILED', sent: false });
    const cancelled = new Wire();
    cancelled.attempt.cancel('NODE_DOWN', 'n went down');
    expect(await failure(cancelled.attempt.answer)).toMatchObject({ code: 'NODE_DOWN', sent: false });
    // When its turn comes after all, nothing is written.
    cancelled.start();
    expect(cancelled.aborted).toBeInstanceOf(NodeError);
    const refused = new Wire().error(new NodeError('TLS_FAILED', 'n failed'));
    expect(await failure(refused.attempt.answer)).toMatchObject({ code: 'TLS_FAILED', sent: false });
  });

  it('tells a connection that broke from a node that speaks no HTTP', async () => {
    const reset = new Wire().start().head().data(GOOD.slice(0, 9)).error(new Error('socket hang up'));
    expect(await failure(reset.attempt.answer)).toMatchObject({ code: 'RESET', sent: true });
    const parser = Object.assign(new Error('Response does not match the HTTP/1.1 protocol'), {
      name: 'HTTPParserError',
    });
    expect(await failure(new Wire().start().error(parser).attempt.answer)).toMatchObject({ code: 'BAD_RESPONSE' });
  });

  it('was not sent where our own HAProxy says so, and nobody else', async () => {
    const notSent = { 'x-not-sent': '1' };
    const own = await failure(new Wire({ viaHaproxy: true }).answer(503, '{}', notSent));
    expect(own).toMatchObject({ code: 'CONNECT_FAILED', sent: false, status: 503 });
    const reason = 'SSL handshake failure error:0A000086:SSL routines::certificate verify failed';
    const untrusted = new Wire({ viaHaproxy: true }).answer(503, '{}', { ...notSent, 'x-not-sent-reason': reason });
    expect(await failure(untrusted)).toMatchObject({
      code: 'TLS_FAILED',
      sent: false,
      message: `n could not be reached by HAProxy: ${reason}`,
    });
    const others = [
      new Wire().answer(503, '{}', notSent),
      new Wire({ viaHaproxy: true }).answer(503, '{}'),
      new Wire({ viaHaproxy: true }).answer(502, '{}', notSent),
    ];
    for (const answer of others) expect(await failure(answer)).toMatchObject({ code: 'SERVER_ERROR', sent: true });
  });

  it('ends at its time, and tells whether the request had been written', async () => {
    expect(await failure(new Wire({ timeoutMs: 10 }).attempt.answer)).toMatchObject({
      code: 'CONNECT_TIMEOUT',
      sent: false,
    });
    const wire = new Wire({ timeoutMs: 10 }).start().head();
    expect(await failure(wire.attempt.answer)).toMatchObject({ code: 'TIMEOUT', sent: true });
    expect(wire.aborted).toBeInstanceOf(NodeError);
  });

  it('ends exactly once', async () => {
    const wire = new Wire().start().head().data(GOOD).end();
    wire.attempt.cancel('CALLER_LEFT', 'late');
    wire.error(new Error('late'));
    expect(await wire.attempt.answer).toHaveProperty('result');
    expect([wire.aborted, wire.ends]).toEqual([undefined, 1]);
    const failed = new Wire().start().head().error(new Error('reset'));
    failed.data(GOOD).end();
    expect(await failure(failed.attempt.answer)).toMatchObject({ code: 'RESET' });
    expect(failed.ends).toBe(1);
  });

  it('is cut off at the size an answer may have', async () => {
    const wire = new Wire({ maxResponseBytes: 100 }).start().head().data('a'.repeat(101));
    expect(await failure(wire.attempt.answer)).toMatchObject({ code: 'TOO_LARGE', ejects: false });
    expect(wire.aborted).toBeInstanceOf(NodeError);
  });

  describe('of a large answer', () => {
    const long = 'a'.repeat(70_000);

    async function streaming(options?: Partial<AttemptOptions>) {
      const wire = new Wire(options).start().head().data(`{"id":7,"result":"${long}`);
      const answer = await wire.attempt.answer;
      if (answer.kind !== 'stream') throw new Error(answer.kind);
      const ended = new Promise<Error | undefined>((resolve) => {
        answer.stream.once('end', () => resolve(undefined)).once('error', resolve);
      });
      return { wire, stream: answer.stream, ended };
    }

    async function text(stream: AsyncIterable<unknown>): Promise<string> {
      const parts: Buffer[] = [];
      for await (const part of stream as AsyncIterable<Buffer>) parts.push(part);
      return Buffer.concat(parts).toString();
    }

    it('streams the result alone', async () => {
      const { wire, stream } = await streaming();
      wire.data('b"').data('  ,"jsonrpc":"2.0"}\n').end();
      expect(await text(stream)).toBe(`"${long}b"`);
    });

    it('is held whole as far as is wanted, with its time until the deadline once it comes at length', async () => {
      const wire = new Wire({ holdBytes: 200_000, timeoutMs: 20, deadlineMs: 5000 }).start().head();
      wire.data(`{"id":7,"result":"${long}`);
      await new Promise((resolve) => setTimeout(resolve, 40));
      const answer = await wire.data(`${long}"}`).end().attempt.answer;
      expect(answer).toEqual({ kind: 'result', result: Buffer.from(`"${long}${long}"`), isNull: false });
      const longer = new Wire({ holdBytes: 200_000 }).start().head().data(`{"id":7,"result":"${long}${long}${long}`);
      const streamed = await longer.attempt.answer;
      expect(streamed.kind).toBe('stream');
      if (streamed.kind === 'stream') streamed.stream.on('error', () => undefined).destroy();
    });

    /** Answers of 64 to 128 KiB that came in one or two pieces were refused, and their nodes ejected. */
    it.each([
      ['a text, the id first', '{"jsonrpc":"2.0","id":7,"result":"', 'x', '"}'],
      ['a text, the id last', '{"result":"', 'é', '","jsonrpc":"2.0","id":7}'],
      ['a list, the id first', '{"id":7,"result":[[0]', ',{"a":[1]}', ']}'],
      ['a list, the id last, and space', ' {"result" : ["a"', ',"0xabcdef"', '] , "id" :7 } \n'],
    ])('is right at every size and however it is cut: %s', async (_, before, piece, after) => {
      const start = before.indexOf(':', before.indexOf('"result"')) + 1;
      const fixed = Buffer.byteLength(before) + after.length;
      const sizes = [60, 64, 65, 66, 96, 127, 128, 129, 140].flatMap((kib) => [kib * 1024 - 1, kib * 1024]);
      for (const size of [...sizes, 65_537, 65_580, 131_073, 131_100]) {
        const body = Buffer.from(before + piece.repeat(Math.ceil((size - fixed) / Buffer.byteLength(piece))) + after);
        const result = body
          .toString()
          .slice(start, body.toString().length - (after.length - 1))
          .trimStart();
        const cuts = [0, 1, 20, before.length, 65_535, 65_536, 65_537, 65_600, 131_072, body.length - 1];
        for (let back = 2; back <= after.length + 2; back++) cuts.push(body.length - back);
        for (const cut of cuts.filter((at) => at < body.length)) {
          const wire = new Wire().start().head();
          if (cut > 0) wire.data(body.subarray(0, cut));
          wire.data(body.subarray(cut)).end();
          const answer = await wire.attempt.answer;
          if (answer.kind === 'error') throw new Error(`an error of ${size} bytes`);
          const given = answer.kind === 'stream' ? await text(answer.stream) : answer.result.toString();
          // Not by toBe: a difference of a hundred kilobytes is no message.
          expect([size, cut, given === result]).toEqual([size, cut, true]);
        }
      }
    });

    it('pauses the node when the reader does not read, and resumes it when it does', async () => {
      const { wire, stream } = await streaming();
      wire.data(long);
      expect(wire.pauses).toBe(1);
      const before = wire.resumes;
      stream.resume();
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(wire.resumes).toBeGreaterThan(before);
      stream.destroy();
    });

    it.each([
      ['breaks off', (wire: Wire) => wire.error(new Error('reset')), 'RESET'],
      ['ends too early', (wire: Wire) => wire.data('"').end(), 'BAD_RESPONSE'],
      ['has two ids', (wire: Wire) => wire.data('","id":7}').end(), 'BAD_RESPONSE'],
      ['is no JSON', (wire: Wire) => wire.data('",,'), 'BAD_RESPONSE'],
      ['is no UTF-8', (wire: Wire) => wire.data(Buffer.from([0xc3, 0x28])), 'BAD_RESPONSE'],
      ['is too large', (wire: Wire) => wire.data('a'.repeat(950_000)), 'TOO_LARGE'],
    ])('destroys the stream when it %s', async (_, then, code) => {
      const { wire, stream, ended } = await streaming();
      stream.resume();
      then(wire);
      expect(await ended).toMatchObject({ code });
    });

    it('ends at the deadline, not at the time of an attempt', async () => {
      const { stream, ended } = await streaming({ timeoutMs: 5, deadlineMs: 40 });
      stream.resume();
      expect(await ended).toMatchObject({ code: 'TIMEOUT', message: 'n did not end its answer within 40 ms' });
    });

    it('is given up at the node when the reader leaves', async () => {
      const { wire, stream } = await streaming();
      stream.destroy();
      await new Promise((resolve) => setImmediate(resolve));
      expect(wire.aborted).toMatchObject({ code: 'CALLER_LEFT' });
    });

    it('is not begun with the id of another request, or by a refusal', async () => {
      const other = new Wire().start().head().data(`{"id":8,"result":"${long}`);
      expect(await failure(other.attempt.answer)).toMatchObject({ code: 'BAD_RESPONSE' });
      const refused = new Wire().start().head(500).data('a'.repeat(900_000)).end();
      expect(await failure(refused.attempt.answer)).toMatchObject({ code: 'SERVER_ERROR' });
    });
  });
});
