/** Names of the metrics, which dashboards and alarms elsewhere rely on. */
const PREFIX = 'rpc_balancer_';

export const METRICS = {
  requests: `${PREFIX}requests_total`,
  requestSeconds: `${PREFIX}request_duration_seconds`,
  inFlight: `${PREFIX}requests_in_flight`,
  refused: `${PREFIX}refused_total`,
  limited: `${PREFIX}limited_total`,
  limitsAlone: `${PREFIX}limits_alone_total`,
  cache: `${PREFIX}cache_requests_total`,
  cacheRefused: `${PREFIX}cache_refused_total`,
  cacheBytes: `${PREFIX}cache_bytes`,
  filters: `${PREFIX}filters`,
  filterPolls: `${PREFIX}filter_polls_total`,
  filtersLost: `${PREFIX}filters_lost_total`,
  connections: `${PREFIX}client_connections`,
  chainHead: `${PREFIX}chain_head`,
  chainReorgs: `${PREFIX}chain_reorgs_total`,
  nodeHealth: `${PREFIX}node_health`,
  nodeHead: `${PREFIX}node_head`,
  nodeLag: `${PREFIX}node_lag_blocks`,
  nodeLatency: `${PREFIX}node_latency_seconds`,
  nodeInFlight: `${PREFIX}node_in_flight`,
  nodeAttempts: `${PREFIX}node_attempts_total`,
  nodeProbes: `${PREFIX}node_probes_total`,
  nodeErrors: `${PREFIX}node_errors_total`,
  nodeEjections: `${PREFIX}node_ejections_total`,
  nodeRests: `${PREFIX}node_rests_total`,
  nodeSocket: `${PREFIX}node_socket_connected`,
  redisUp: `${PREFIX}redis_up`,
  redisSeconds: `${PREFIX}redis_duration_seconds`,
  redisFailures: `${PREFIX}redis_failures_total`,
  configReloads: `${PREFIX}config_reloads_total`,
  configValid: `${PREFIX}config_valid`,
  configAppliedAt: `${PREFIX}config_applied_timestamp_seconds`,
  eventLoopDelay: `${PREFIX}event_loop_delay_seconds`,
  exceptions: `${PREFIX}exceptions_total`,
} as const;

const WEIGHTER_PREFIX = `${PREFIX}weighter_`;

/** Of the weighter, a program of its own beside HAProxy. */
export const WEIGHTER_METRICS = {
  weight: `${WEIGHTER_PREFIX}weight_desired`,
  weightSet: `${WEIGHTER_PREFIX}weight_set`,
  latency: `${WEIGHTER_PREFIX}latency_seconds`,
  blockAge: `${WEIGHTER_PREFIX}block_age_seconds`,
  blockNumber: `${WEIGHTER_PREFIX}block_number`,
  probes: `${WEIGHTER_PREFIX}probes_total`,
  probeFailures: `${WEIGHTER_PREFIX}probe_failures_total`,
  adjustments: `${WEIGHTER_PREFIX}adjustments_total`,
  refusals: `${WEIGHTER_PREFIX}refusals_total`,
  socketErrors: `${WEIGHTER_PREFIX}socket_errors_total`,
  restarts: `${WEIGHTER_PREFIX}haproxy_restarts_total`,
  staleness: `${WEIGHTER_PREFIX}weights_stale_seconds`,
  rounds: `${WEIGHTER_PREFIX}rounds_total`,
} as const;
