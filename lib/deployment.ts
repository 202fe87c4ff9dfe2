import { ARCH } from './arch';
import { ciRoleName } from './ci-role';
import { imageRepository } from './pinned-image';
import type { Settings } from './settings';

/** What the workflows of GitHub need to know of an environment, so that it stands in the settings alone. */
export function deployment(settings: Settings): Readonly<Record<string, string>> {
  const { account, region, nodes, workload } = settings;
  const { chains, defaultChain } = workload.proxy;
  const chain = chains[defaultChain ?? Object.keys(chains)[0] ?? ''];
  return {
    account,
    region,
    role: `arn:aws:iam::${account}:role/${ciRoleName(settings)}`,
    'image-role': `arn:aws:iam::${account}:role/cdk-hnb659fds-image-publishing-role-${account}-${region}`,
    repository: imageRepository(settings),
    platform: ARCH[nodes.arch].platform.platform,
    // The first host is the proxy's.
    url: `https://${workload.hosts[0]?.host ?? ''}/`,
    'chain-id': String(chain?.chainId ?? ''),
  };
}
