/** Names of the metrics, which dashboards and alarms elsewhere rely on. */
const PREFIX = 'rpc_balancer_';

export const METRICS = {
  requests: `${PREFIX}requests_total`,
  requestSeconds: `${PREFIX}request_duration_seconds`,
  inFlight: `${PREFIX}requests_in_flight`,
  refused: `${PREFIX}refused_total`,
  limited: `${PREFIX}limited_total`,
  cache: `${PREFIX}cache_requests_total`,
  cacheRefused: `${PREFIX}cache_refused_total`,
  cacheBytes: `${PREFIX}cache_bytes`,
  connections: `${PREFIX}client_connections`,
  chainHead: `${PREFIX}chain_head`,
  chainReorgs: `${PREFIX}chain_reorgs_total`,
  nodeHealth: `${PREFIX}node_health`,
  nodeHead: `${PREFIX}node_head`,
  nodeLag: `${PREFIX}node_lag_blocks`,
  nodeSocket: `${PREFIX}node_socket_connected`,
  nodeLatency: `${PREFIX}node_latency_seconds`,
  nodeInFlight: `${PREFIX}node_in_flight`,
  nodeAttempts: `${PREFIX}node_attempts_total`,
  nodeProbes: `${PREFIX}node_probes_total`,
  nodeErrors: `${PREFIX}node_errors_total`,
  nodeEjections: `${PREFIX}node_ejections_total`,
  nodeRests: `${PREFIX}node_rests_total`,
  eventLoopDelay: `${PREFIX}event_loop_delay_seconds`,
  exceptions: `${PREFIX}exceptions_total`,
} as const;
