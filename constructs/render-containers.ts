import { Size } from 'cdk8s';
import { IMAGE_PROGRAMS, IMAGE_USER } from '../runtime/contract/images';
import { CONTAINERS } from '../runtime/contract/names';
import { PATHS } from '../runtime/contract/paths';
import { type Container, resources, securityContext, type Sidecar } from './pod-defaults';
import { MOUNTS } from './pod-volumes';

/** Writes `haproxy.cfg` before HAProxy starts; the pod does not start while a key is missing, and its log names it. */
export function renderContainer(image: string): Container {
  return {
    name: CONTAINERS.render,
    args: FILES,
    ...common(image),
    volumeMounts: [MOUNTS.config, MOUNTS.providerKeys, MOUNTS.haproxyWritten],
  };
}

/** Writes it again when the configuration or a key changes, and has HAProxy reloaded. */
export function configRenderContainer(image: string): Sidecar {
  return {
    name: CONTAINERS.configRender,
    restartPolicy: 'Always',
    args: [...FILES, '--watch', '--master-socket', PATHS.masterSocket],
    ...common(image),
    volumeMounts: [MOUNTS.config, MOUNTS.providerKeys, MOUNTS.haproxyWritten, MOUNTS.sockets],
  };
}

const FILES = ['--config', PATHS.config, '--secrets', PATHS.providerKeys, '--out', PATHS.haproxyConfig];

/** It works for a moment and then waits. */
function common(image: string) {
  return {
    image,
    command: ['node', IMAGE_PROGRAMS.render],
    resources: resources('50m', Size.mebibytes(128), '1000m'),
    securityContext: securityContext(IMAGE_USER),
  };
}
