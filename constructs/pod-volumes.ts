import { NAMES } from '../runtime/contract/names';
import { PATHS } from '../runtime/contract/paths';
import type { VolumeMount } from './pod-defaults';

/**
 * Which container sees what:
 *
 *                        render, config-render   haproxy   node-weighter   proxy
 *     config             reads                             reads           reads
 *     provider keys      reads
 *     haproxy.cfg        writes                  reads
 *     sockets            uses                    makes     uses
 *     Redis password                                                       reads
 */
export const MOUNTS = {
  config: { name: NAMES.configMap, mountPath: PATHS.configFolder, readOnly: true },
  providerKeys: { name: 'provider-keys', mountPath: PATHS.providerKeysFolder, readOnly: true },
  haproxyWritten: { name: 'haproxy-config', mountPath: PATHS.haproxyFolder },
  haproxyRead: { name: 'haproxy-config', mountPath: PATHS.haproxyFolder, readOnly: true },
  sockets: { name: 'haproxy-sockets', mountPath: PATHS.socketFolder },
  redisPassword: { name: 'redis-password', mountPath: PATHS.redisPasswordFolder, readOnly: true },
} as const satisfies Record<string, VolumeMount>;

/** @param hasRedis whether there is a password to mount */
export function podVolumes(hasRedis: boolean): object[] {
  return [
    { name: MOUNTS.config.name, configMap: { name: NAMES.configMap } },
    secret(MOUNTS.providerKeys.name, NAMES.providerKeys),
    ...(hasRedis ? [secret(MOUNTS.redisPassword.name, NAMES.redisPassword)] : []),
    inMemory(MOUNTS.haproxyRead.name),
    inMemory(MOUNTS.sockets.name),
  ];
}

/** Keys never reach a disk. */
function inMemory(name: string): object {
  return { name, emptyDir: { medium: 'Memory', sizeLimit: '4Mi' } };
}

/** Files of AWS Secrets Manager, kept up to date by the Secrets Store CSI driver. */
function secret(name: string, secretProviderClass: string): object {
  const csi = { driver: 'secrets-store.csi.k8s.io', readOnly: true, volumeAttributes: { secretProviderClass } };
  return { name, csi };
}
