import { parse } from 'yaml';
import { parseConfig } from '../../runtime/config/load';
import { ENVIRONMENTS } from './environments';
import { find, podSpec, synthesise } from './manifests';

describe.each(Object.entries(ENVIRONMENTS))('the pod of %s', (_, props) => {
  const manifests = synthesise(props);

  it('believes the load balancer alone whom it speaks for: else anybody could be anybody', () => {
    const text = find(manifests, 'ConfigMap').data?.['config.yaml'] ?? '';
    const { trustedProxies } = parseConfig(text, { env: {}, readFile: () => '{"password":"any"}' });
    expect(trustedProxies).toEqual(props.network.albCidrs);
  });

  it("is told nothing of the namespace's other Services, and its account has no token either", () => {
    expect(podSpec(manifests)['enableServiceLinks']).toBe(false);
    if (props.serviceAccountRoleArn === undefined) return;
    expect(find(manifests, 'ServiceAccount')).toMatchObject({ automountServiceAccountToken: false });
  });

  it('has the secrets that were named, each as the file that a program reads', () => {
    const wanted = [
      ['rpc-proxy-provider-keys', props.providerKeysSecret, 'keys.json'],
      ...(props.redis ? [['rpc-proxy-redis-password', props.redis.passwordSecret, 'redis.json']] : []),
    ];
    for (const [name = '', objectName, objectAlias] of wanted) {
      const { provider, parameters } = find(manifests, 'SecretProviderClass', name).spec as {
        provider: string;
        parameters: { objects: string };
      };
      expect(provider).toBe('aws');
      expect(parse(parameters.objects)).toEqual([{ objectName, objectType: 'secretsmanager', objectAlias }]);
    }
  });

  it('has others beside it when its proxies are as busy as was asked', () => {
    const { metrics } = find(manifests, 'HorizontalPodAutoscaler').spec as { metrics: unknown[] };
    const averageUtilization = props.scaling.targetCpuPercent ?? 70;
    expect(metrics).toMatchObject([{ containerResource: { target: { type: 'Utilization', averageUtilization } } }]);
  });
});
