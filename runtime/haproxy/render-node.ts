import { NOT_SENT_HEADER, NOT_SENT_REASON_HEADER } from '../contract/headers';
import { jsonError } from './json-errors';
import type { NodeBackend, NodeFrontend, Target } from './model';
import { quote, quoteFormat } from './quote';
import { IS_WEB_SOCKET, RESOLVERS, type Section } from './section';

/**
 * Headers that travel on; all others are for us or for somebody else: who called (Authorization, Cookie,
 * X-Forwarded-For, Forwarded …) on the way out, who answered (Server, Set-Cookie, Location …) on the way back.
 */
const BODY_HEADERS = 'content-(?:type|length|encoding)$|transfer-encoding$';
/** Only where a connection is upgraded: elsewhere `Connection` could name our own Authorization as not to be sent on. */
const SOCKET_HEADERS = 'connection$|upgrade$|sec-websocket-(?:accept|extensions|key|protocol|version)$';
const REQUEST_HEADERS = `${BODY_HEADERS}|accept(?:-encoding)?$|host$`;
const ANSWER_HEADERS = `${BODY_HEADERS}|retry-after$|date$`;

/** A local port that stands for one provider. Only this machine reaches it; the key is added behind it. */
export function nodeSections({ name, localPort, http, webSocket }: NodeFrontend): Section[] {
  return [
    {
      title: `frontend ${name}`,
      lines: [
        `bind 127.0.0.1:${localPort}`,
        'option dontlog-normal',
        // Longer than any client keeps a connection: a request must not cross with its end.
        'timeout http-keep-alive 300s',
        webSocket === undefined
          ? `http-request return ${jsonError(501)} if ${IS_WEB_SOCKET}`
          : `use_backend ${webSocket.name} if ${IS_WEB_SOCKET}`,
        `default_backend ${http.name}`,
      ],
    },
    backendSection(http, ''),
    ...(webSocket === undefined ? [] : [backendSection(webSocket, `|${SOCKET_HEADERS}`)]),
  ];
}

/** What came of dialling: of TLS, the reason too, such as `certificate verify failed`. Empty where nobody listens. */
const CONNECT_ERROR = '%[bc_err_str] %[ssl_bc_err_str]';

/** One attempt and no more: who asked decides what follows, and so must know whether anything was sent. */
function backendSection(
  { name, server, target, connectTimeoutMs, serverTimeoutMs }: NodeBackend,
  moreHeaders: string,
): Section {
  return {
    title: `backend ${name}`,
    lines: [
      'retries 0',
      'http-reuse always',
      `timeout connect ${connectTimeoutMs}ms`,
      `timeout server ${serverTimeoutMs}ms`,
      `http-error ${jsonError(503)} hdr ${NOT_SENT_HEADER} 1 hdr ${NOT_SENT_REASON_HEADER} ${quote(CONNECT_ERROR)}`,
      `http-request del-header ${quote(`^(?!${REQUEST_HEADERS}${moreHeaders})`)} -m reg`,
      // Before the host: it also replaces the one of a request in absolute form (RFC 9112, 3.2.2).
      `http-request set-uri ${quoteFormat(target.pathAndQuery)}`,
      `http-request set-header host ${quoteFormat(target.hostHeader)}`,
      ...(moreHeaders === '' ? [] : ['http-request set-header connection upgrade']),
      ...(target.authorization === undefined
        ? []
        : [`http-request set-header authorization ${quoteFormat(target.authorization)}`]),
      `http-response del-header ${quote(`^(?!${ANSWER_HEADERS}${moreHeaders})`)} -m reg`,
      `server ${server} ${serverText(target)}`,
    ],
  };
}

function serverText({ host, port, resolved, caFile }: Target): string {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return [
    address,
    // Idle connections are worth their handshake.
    'pool-purge-delay 30s',
    ...(resolved ? [`resolvers ${RESOLVERS} resolve-prefer ipv4`] : []),
    'init-addr last,libc,none',
    ...(caFile === undefined ? [] : [tlsText(host, caFile)]),
  ].join(' ');
}

/** The certificate is compared with the name that is sent (SNI), and with the same name should none be sent. */
function tlsText(host: string, caFile: string): string {
  return `ssl verify required ca-file ${quote(caFile)} sni str(${host}) verifyhost ${host} alpn http/1.1`;
}
