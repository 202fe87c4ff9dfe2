import { network } from '../runtime/config/forms';
import { albRules } from './alb-checks';
import { SCALING_DEFAULTS } from './autoscaling';
import { decidedKeyRules } from './decided-keys';
import type { RedisProps } from './pod-settings';
import type { Rule } from './problems';
import { ARCHITECTURES } from './proxy-deployment';
import type { RpcChartProps } from './rpc-chart';
import { CPU_RULE, FORMS, text, textOrNone, UNROUNDED, whole } from './rules';

/** What each prop of the chart must be by itself. */
export function chartRules(props: RpcChartProps): Rule[] {
  return [
    text('namespace', props.namespace, FORMS.dnsLabel, 'a name of lower-case letters, digits and dashes'),
    text('image', props.image, FORMS.imageByDigest, 'an image by digest, such as registry.example/rpc@sha256:…'),
    ...textOrNone(
      'haproxyImage',
      props.haproxyImage,
      FORMS.imageByDigest,
      'an image by digest, such as haproxy:3.2@sha256:…',
    ),
    {
      path: 'arch',
      rule: `one of ${ARCHITECTURES.join(', ')}`,
      got: props.arch,
      holds: ARCHITECTURES.includes(props.arch),
    },
    text('providerKeysSecret', props.providerKeysSecret, FORMS.secret, SECRET_RULE),
    ...textOrNone('serviceAccountRoleArn', props.serviceAccountRoleArn, ROLE_ARN, 'the ARN of an IAM role'),
    ...decidedKeyRules(props),
    ...networkRules(props),
    ...redisRules(props.redis),
    ...sizeRules(props),
    ...scalingRules(props),
    ...albRules(props.alb, props.namespace),
  ];
}

const SECRET_RULE = 'the name or ARN of a secret';
const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/;

function networkRules({
  network: { albCidrs, clientNamespaces = [], monitoringNamespaces = [] },
}: RpcChartProps): Rule[] {
  const namespaces = { clientNamespaces, monitoringNamespaces };
  return [
    ...cidrRules('network.albCidrs', albCidrs),
    ...Object.entries(namespaces).flatMap(([name, list]) =>
      list.map((got, i) => text(`network.${name}[${i}]`, got, FORMS.dnsLabel, 'the name of a namespace')),
    ),
  ];
}

function cidrRules(path: string, list: readonly string[]): Rule[] {
  return [
    // A rule of the network policy without a source would let everybody in.
    { path, rule: 'a list with at least one network', got: 'an empty list', holds: list.length > 0 },
    ...list.map((got, i) => ({
      path: `${path}[${i}]`,
      rule: 'a network such as 10.0.0.0/24',
      got,
      holds: network.test(got) && got.includes('/'),
    })),
  ];
}

const HOST_NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i;

function redisRules(redis: RedisProps | undefined): Rule[] {
  if (redis === undefined) return [];
  const { host, port = 6379, passwordSecret, cidrs } = redis;
  return [
    // What is before an @ would be a password.
    { ...text('redis.host', host, HOST_NAME, 'a host name'), got: host.includes('@') ? '(hidden)' : host },
    whole('redis.port', port, 1, 65_535),
    text('redis.passwordSecret', passwordSecret, FORMS.secret, SECRET_RULE),
    ...cidrRules('redis.cidrs', cidrs),
  ];
}

function sizeRules({ proxyCpu, proxyMemory, haproxyMemory, gracePeriod }: RpcChartProps): Rule[] {
  const memories = Object.entries({ proxyMemory, haproxyMemory });
  const grace = gracePeriod?.toSeconds({ integral: false });
  return [
    ...textOrNone('proxyCpu', proxyCpu, FORMS.cpu, CPU_RULE),
    ...memories.flatMap(([path, size]): Rule[] => {
      if (size === undefined) return [];
      const mebibytes = size.toMebibytes(UNROUNDED);
      return [{ path, rule: 'whole mebibytes', got: `${mebibytes} MiB`, holds: Number.isInteger(mebibytes) }];
    }),
    ...(grace === undefined
      ? []
      : [{ path: 'gracePeriod', rule: 'whole seconds', got: `${grace} s`, holds: Number.isInteger(grace) }]),
  ];
}

function scalingRules({ scaling }: RpcChartProps): Rule[] {
  const { minReplicas, maxReplicas, targetCpuPercent } = { ...SCALING_DEFAULTS, ...scaling };
  return [
    // With one pod each rollout and each drained node is an outage.
    whole('scaling.minReplicas', minReplicas, 2, 1000),
    whole('scaling.maxReplicas', maxReplicas, minReplicas, 1000),
    whole('scaling.targetCpuPercent', targetCpuPercent, 1, 100),
  ];
}
