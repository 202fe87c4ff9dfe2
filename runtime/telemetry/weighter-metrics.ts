import { WEIGHTER_METRICS as NAMES } from '../contract/metrics';
import { createInstruments } from './instruments';

/** What the weighter counts, under the names of the contract. */
export function createWeighterMetrics() {
  const { registry, counter, gauge } = createInstruments();
  const server = ['backend', 'server'] as const;
  return {
    registry,
    weight: gauge(NAMES.weight, 'What the server should weigh, 0 to 256', server),
    weightSet: gauge(NAMES.weightSet, 'What the server weighed when HAProxy was last asked', server),
    latency: gauge(NAMES.latency, 'Round trip of the last probe that was answered', server),
    blockAge: gauge(NAMES.blockAge, 'Age of the newest block of the last probe that was answered', server),
    blockNumber: gauge(NAMES.blockNumber, 'Newest block of the last probe that was answered', server),
    probes: counter(NAMES.probes, 'Probes made', server),
    probeFailures: counter(NAMES.probeFailures, 'Probes that failed, by how', [...server, 'code']),
    adjustments: counter(NAMES.adjustments, 'Weights that HAProxy took', server),
    refusals: counter(NAMES.refusals, 'Weights that HAProxy refused, by why', [...server, 'code']),
    socketErrors: counter(NAMES.socketErrors, 'Conversations with HAProxy that failed, by how', ['code']),
    restarts: counter(NAMES.restarts, 'Restarts and reloads of HAProxy that were noticed', []),
    staleness: gauge(NAMES.staleness, 'Time since HAProxy last had every weight it should have', []),
    rounds: counter(NAMES.rounds, 'Rounds of probes that came to their end', []),
  };
}

export type WeighterMetrics = ReturnType<typeof createWeighterMetrics>;
