import type { HaproxyConfig } from '../config/load-haproxy';
import { fromConfig } from './from-config';
import { jsonError, OWN_STATUSES } from './json-errors';
import type { AdminSocket, Address, HaproxyModel } from './model';
import { quote } from './quote';
import { nodeSections } from './render-node';
import { poolBackendSections, poolFrontendSection } from './render-pool';
import { addressText, RESOLVERS, type Section } from './section';

/** haproxy.cfg for a configuration, for HAProxy 2.6 to 3.2. It holds the providers' keys. */
export function renderHaproxy(config: HaproxyConfig): string {
  return render(fromConfig(config));
}

/** Writes a model down. */
export function render(model: HaproxyModel): string {
  const sections: readonly Section[] = [
    globalSection(model),
    defaultsSection(model),
    resolversSection(model.nameservers),
    statsSection(model.stats),
    poolFrontendSection(model.pool, model.pools),
    ...model.pools.flatMap(poolBackendSections),
    ...model.nodes.flatMap(nodeSections),
  ];
  const texts = sections.map(({ title, lines }) => [title, ...lines.map((line) => `    ${line}`)].join('\n'));
  return `${[HEAD, ...texts].join('\n\n')}\n`;
}

const HEAD = '# Written by eth-rpc-balancer from its configuration; changes here are lost. Holds keys: keep it secret.';

function globalSection({ adminSocket, maxConnections, hardStopAfterMs }: HaproxyModel): Section {
  return {
    title: 'global',
    lines: [
      'log stdout format raw local0 info',
      `stats socket ${socketText(adminSocket)} level admin expose-fd listeners`,
      'stats timeout 5s',
      `maxconn ${maxConnections}`,
      `hard-stop-after ${hardStopAfterMs}ms`,
      'ssl-default-server-options ssl-min-ver TLSv1.2',
    ],
  };
}

/** Who reaches this socket can send all traffic elsewhere. */
function socketText(socket: AdminSocket): string {
  if (socket.kind === 'tcp') return `${family(socket.address.host)}@${addressText(socket.address)}`;
  return `unix@${socket.path} mode 660${socket.gid === undefined ? '' : ` gid ${socket.gid}`}`;
}

function family(host: string): string {
  return host.includes(':') ? 'ipv6' : 'ipv4';
}

function defaultsSection({ clients }: HaproxyModel): Section {
  return {
    title: 'defaults',
    lines: [
      'log global',
      'mode http',
      // As httplog, without the request line, which callers write, and with what came of dialling.
      `log-format ${quote('%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq %HM %[bc_err_str] %[ssl_bc_err_str]')}`,
      'option dontlognull',
      // Whoever asked and left needs no answer; a node should not work for nobody.
      'option abortonclose',
      // A client that has just sent a request must not find its idle connection closed by a reload.
      'option idle-close-on-response',
      'timeout connect 10s',
      'timeout client 60s',
      'timeout server 60s',
      `timeout http-request ${clients.requestTimeoutMs}ms`,
      `timeout http-keep-alive ${clients.keepAliveTimeoutMs}ms`,
      'timeout tunnel 1h',
      ...OWN_STATUSES.map((status) => `http-error ${jsonError(status)}`),
    ],
  };
}

/**
 * An address is kept when the name server fails, for as long as HAProxy counts: dialling what was true an hour ago is
 * better than dialling nothing.
 */
function resolversSection(nameservers: readonly string[]): Section {
  return {
    title: `resolvers ${RESOLVERS}`,
    lines: [
      ...(nameservers.length === 0
        ? ['parse-resolv-conf']
        : nameservers.map((one, i) => `nameserver dns${i + 1} ${one}`)),
      'accepted_payload_size 1232',
      'resolve_retries 3',
      'timeout resolve 5s',
      'timeout retry 1s',
      ...['nx', 'refused', 'timeout', 'other'].map((status) => `hold ${status} 20d`),
    ],
  };
}

function statsSection(address: Address): Section {
  return {
    title: 'frontend stats',
    lines: [
      `bind ${addressText(address)}`,
      'option dontlog-normal',
      'http-request use-service prometheus-exporter if { path /metrics }',
      'stats enable',
      'stats uri /',
      'stats refresh 10s',
      'stats hide-version',
    ],
  };
}
