import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Underway } from '../../runtime/front/underway';
import { eventually } from '../support/eventually';
import { RawClient } from '../support/load-raw-client';

/**
 * Requests that wait on their connection for the answers to others had no end when the client left: they counted against
 * its bound on requests in flight for ever.
 */
describe('requests under way', () => {
  let server: Server;
  let underway: Underway;
  let responses: ServerResponse[];
  let closed: number;

  beforeEach(async () => {
    underway = new Underway();
    responses = [];
    closed = 0;
    server = createServer((request, response) => {
      underway.add(request, response);
      response.once('close', () => closed++);
      request.resume();
      responses.push(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const connect = () => new RawClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const REQUEST = 'GET / HTTP/1.1\r\nhost: test\r\n\r\n';

  it('end with their answers, each once, also those that came one behind the other', async () => {
    const client = connect();
    client.send(REQUEST.repeat(3));
    await eventually(() => responses.length === 3);
    let empty = false;
    const waiting = underway.empty().then(() => (empty = true));
    for (const response of responses.slice(0, 2)) response.end('x');
    await eventually(() => closed === 2);
    expect(empty).toBe(false);
    responses[2]?.end('x');
    await waiting;
    client.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(closed).toBe(3);
  });

  // Each reload begins with a registry of its own.
  it('leave nothing on a connection that outlives the registry', async () => {
    const client = connect();
    const listeners: (number | undefined)[] = [];
    for (let reloads = 0; reloads < 3; reloads++) {
      underway = new Underway();
      responses = [];
      client.send(REQUEST.repeat(3));
      await eventually(() => responses.length === 3);
      const socket = responses[0]?.socket;
      for (const response of responses) response.end('x');
      await underway.empty();
      listeners.push(socket?.listenerCount('close'));
    }
    expect(new Set(listeners).size).toBe(1);
    client.close();
  });

  it('end with their connection, also those whose turn it was not', async () => {
    const client = connect();
    client.send(REQUEST.repeat(20));
    await eventually(() => responses.length === 20);
    client.close();
    await underway.empty();
    expect(closed).toBe(20);
  });
});
