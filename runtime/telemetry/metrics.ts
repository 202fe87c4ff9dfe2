import { type Gauge, Histogram } from 'prom-client';
import { Tallies } from './tally';
import { METRICS } from '../contract/metrics';
import { createInstruments } from './instruments';

export type { Gauge };

/** Everything that is counted, under the names of the contract. Gauges are read when somebody looks. */
export function createMetrics() {
  const { registry, counter, gauge } = createInstruments();
  return {
    registry,
    tallies: Tallies.create(),
    requests: counter(METRICS.requests, 'JSON-RPC requests by method and outcome', ['chain', 'method', 'outcome']),
    requestSeconds: new Histogram({
      name: METRICS.requestSeconds,
      help: 'Time from the request to its answer, or to the first byte of one that streams',
      labelNames: ['chain', 'method'] as const,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [registry],
    }),
    inFlight: gauge(METRICS.inFlight, 'JSON-RPC requests being handled', ['chain']),
    refused: counter(METRICS.refused, 'Messages and items refused before they were handled', ['reason']),
    limited: counter(METRICS.limited, 'Requests refused by a rate limit', ['chain']),
    limitsAlone: counter(
      METRICS.limitsAlone,
      'Requests whose limits were decided without Redis although one is configured: local, open, closed',
      ['how'],
    ),
    cache: counter(
      METRICS.cache,
      'Requests by what the cache did: hit, hit_redis, miss, shared (with one under way), uncached',
      ['chain', 'result'],
    ),
    cacheRefused: counter(
      METRICS.cacheRefused,
      'Answers that could not be kept: null, errors, too large, not certain',
      ['chain'],
    ),
    cacheBytes: gauge(METRICS.cacheBytes, 'Memory of the kept answers', ['chain']),
    filters: gauge(METRICS.filters, 'Open filters this process knows of', ['chain']),
    filterPolls: counter(
      METRICS.filterPolls,
      'Answered polls of filters, by how the changes were found: computed, sticky (told by a node), unchanged',
      ['chain', 'kind', 'how'],
    ),
    filtersLost: counter(METRICS.filtersLost, 'Filters that lost the node that kept them, and went on without', [
      'chain',
      'kind',
    ]),
    connections: gauge(METRICS.connections, 'Open client connections', []),
    chainHead: gauge(METRICS.chainHead, 'Number of the head that reads are pinned to', ['chain']),
    chainReorgs: counter(METRICS.chainReorgs, 'Reorganisations of the head', ['chain']),
    nodeHealth: gauge(METRICS.nodeHealth, '1 for the state the node is in: up, lagging or down', [
      'chain',
      'node',
      'state',
    ]),
    nodeHead: gauge(METRICS.nodeHead, 'Newest block the node has shown', ['chain', 'node']),
    nodeLag: gauge(METRICS.nodeLag, 'Blocks behind the head', ['chain', 'node']),
    nodeLatency: gauge(METRICS.nodeLatency, 'Smoothed round trip of light requests', ['chain', 'node']),
    nodeInFlight: gauge(METRICS.nodeInFlight, 'Requests at the node', ['chain', 'node']),
    nodeAttempts: counter(METRICS.nodeAttempts, 'Requests sent to the node, repeated ones included', ['chain', 'node']),
    nodeProbes: counter(METRICS.nodeProbes, 'Questions of our own to the node', ['chain', 'node']),
    nodeErrors: counter(METRICS.nodeErrors, 'Attempts that failed, by how', ['chain', 'node', 'code']),
    nodeEjections: counter(METRICS.nodeEjections, 'Times live traffic took the node out', ['chain', 'node']),
    nodeRests: counter(METRICS.nodeRests, 'Times the node asked for a pause', ['chain', 'node']),
    nodeSocket: gauge(METRICS.nodeSocket, '1 while the node tells of new blocks by its WebSocket', ['chain', 'node']),
    redisUp: gauge(METRICS.redisUp, '1 while Redis answers; only where one is configured', []),
    redisSeconds: new Histogram({
      name: METRICS.redisSeconds,
      help: 'Time Redis took to answer, by what it was asked for',
      labelNames: ['purpose'] as const,
      buckets: [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25],
      registers: [registry],
    }),
    redisFailures: counter(METRICS.redisFailures, 'Questions to Redis that had to do without an answer, by why', [
      'purpose',
      'code',
    ]),
    configReloads: counter(METRICS.configReloads, 'Changed configurations, by what became of them', ['result']),
    configValid: gauge(METRICS.configValid, '1 while the configuration that was read last is in force', []),
    configAppliedAt: gauge(METRICS.configAppliedAt, 'When the configuration in force was applied, since 1970', []),
    eventLoopDelay: gauge(METRICS.eventLoopDelay, 'How late timers ran since the last look', ['quantile']),
    exceptions: counter(METRICS.exceptions, 'Requests that met a defect of ours', []),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
