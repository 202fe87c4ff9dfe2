import { NOT_SENT_HEADER, NOT_SENT_REASON_HEADER } from '../contract/headers';
import { jsonError } from './json-errors';
import type { PoolBackend, PoolFrontend, PoolServer } from './model';
import { quote } from './quote';
import { ANY_METHOD, methodAmong, methodBeyond, QUICK_METHODS, SLOW_METHODS } from './safe-methods';
import { addressText, IS_WEB_SOCKET, type Section } from './section';

/** One port for all chains, told apart by path. Bodies are looked at, so they are awaited, as far as a buffer holds. */
export function poolFrontendSection(pool: PoolFrontend, backends: readonly PoolBackend[]): Section {
  const paths = backends.flatMap((backend) => backend.paths);
  return {
    title: 'frontend http',
    lines: [
      `bind ${addressText(pool.address)}`,
      `maxconn ${pool.maxConnections}`,
      'option forwardfor',
      'option http-buffer-request',
      `http-request return ${jsonError(404)} unless { path ${paths.join(' ')} }`,
      `http-request return ${jsonError(405)} hdr allow POST unless { method POST } or ${IS_WEB_SOCKET}`,
      `http-request return ${jsonError(413)} if { req.body_size gt ${pool.maxBodyBytes} }`,
      // Some nodes take nothing else, and curl says something else.
      'http-request set-header content-type application/json if { method POST }',
      ...backends.flatMap(({ paths: own, webSockets }) =>
        webSockets.kind === 'none'
          ? [`http-request return ${jsonError(501)} if ${IS_WEB_SOCKET} { path ${own.join(' ')} }`]
          : [],
      ),
      ...backends.flatMap(({ name, paths: own, webSockets }) => [
        ...(webSockets.kind === 'some'
          ? [`use_backend ${webSockets.name} if ${IS_WEB_SOCKET} { path ${own.join(' ')} }`]
          : []),
        `use_backend ${name} if { path ${own.join(' ')} }`,
      ]),
    ],
  };
}

export function poolBackendSections(pool: PoolBackend): Section[] {
  const main = {
    title: `backend ${pool.name}`,
    lines: [...commonLines(pool), ...retryLines(pool), ...checkLines(pool), ...pool.servers.map(serverText)],
  };
  if (pool.webSockets.kind !== 'some') return [main];
  const { name, servers } = pool.webSockets;
  const tracking = servers.map((server) => `${serverText(server)} track ${pool.name}/${server.name}`);
  return [main, { title: `backend ${name}`, lines: [...commonLines(pool), 'retries 0', ...tracking] }];
}

function commonLines({ serverTimeoutMs }: PoolBackend): string[] {
  return [
    'balance leastconn',
    'option http-server-close',
    'timeout connect 500ms',
    `timeout server ${serverTimeoutMs}ms`,
    'http-request set-pathq /',
    // Of one attempt; there may have been others.
    `http-response del-header ${NOT_SENT_HEADER}`,
    `http-response del-header ${NOT_SENT_REASON_HEADER}`,
  ];
}

/**
 * Another server is asked when that can do no harm: all methods in the body are known to be safe, and the body is whole
 * (HAProxy repeats none that is larger than its buffer). A failure to connect is always safe.
 */
function retryLines({ retries, quickTimeoutMs, readMethods }: PoolBackend): string[] {
  const slow = [...SLOW_METHODS, ...readMethods];
  return [
    `retries ${retries}`,
    'option redispatch 1',
    'retry-on conn-failure empty-response junk-response response-timeout 401 403 404 500 502 503 504',
    `acl has-method req.body -m reg -i ${quote(ANY_METHOD)}`,
    `acl has-other req.body -m reg -i ${quote(methodBeyond([...QUICK_METHODS, ...slow]))}`,
    `acl has-slow req.body -m reg -i ${quote(methodAmong(slow))}`,
    // Whatever the lists say.
    'acl has-unsafe req.body -m sub -i eth_sendTransaction personal_',
    // Escapes can spell any method, and nothing can be seen in an encoded body.
    `acl has-unsafe req.body -m sub -i ${quote(String.raw`\u`)}`,
    'acl has-unsafe req.hdr(content-encoding) -m found',
    'http-request disable-l7-retry if !has-method or has-other or has-unsafe',
    `http-request set-timeout server ${quickTimeoutMs}ms if has-method !has-other !has-unsafe !has-slow`,
  ];
}

/**
 * Checks go through the local port to the provider: the port itself is open whatever becomes of the provider. The
 * right chain id is asked for, so that a node of another chain is out too. Errors in traffic (5xx, broken answers,
 * time-outs; not the 4xx that callers cause, and not 429) only bring the next check forward: a caller whose requests
 * make every node fail takes none of them out.
 */
function checkLines({ chainId, checkIntervalMs, checkTimeoutMs, rise, fall }: PoolBackend): string[] {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
  const fastMs = Math.min(checkIntervalMs, 1000);
  return [
    'option httpchk',
    `http-check send meth POST uri / ver HTTP/1.1 hdr host localhost hdr content-type application/json body ${quote(body)}`,
    'http-check expect status 200',
    `http-check expect rstring ${quote(`"result"[[:space:]]*:[[:space:]]*"0x0*${eitherCase(chainId)}"`)}`,
    `timeout check ${checkTimeoutMs}ms`,
    `default-server check inter ${checkIntervalMs}ms fastinter ${fastMs}ms rise ${rise} fall ${fall} observe layer7 error-limit 3 on-error fastinter`,
  ];
}

/** The number in hexadecimal, as a pattern. */
function eitherCase(number: number): string {
  return number.toString(16).replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

function serverText({ name, localPort }: PoolServer): string {
  return `server ${name} 127.0.0.1:${localPort} weight 100`;
}
