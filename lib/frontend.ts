import { type IVpc, Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import { nameOf } from './names';
import type { Settings } from './settings';

/**
 * Who may connect to the load balancer: everybody, to two ports, and nobody else is open to everybody. It is ours and not the controller's, so that
 * what is exposed stands in a template. The way on to the pods is the controller's to open.
 */
export function frontendGroup(scope: Construct, settings: Settings, vpc: IVpc): SecurityGroup {
  const group = new SecurityGroup(scope, 'frontend', {
    vpc,
    description: `Clients of the load balancer ${nameOf(settings)}`,
    allowAllOutbound: false,
  });
  group.addIngressRule(Peer.anyIpv4(), Port.tcp(80), 'HTTP, which is sent to HTTPS');
  group.addIngressRule(Peer.anyIpv4(), Port.tcp(443), 'HTTPS and secure WebSockets');
  group.addEgressRule(Peer.ipv4(settings.network.cidr), Port.allTcp(), 'Pods');
  acknowledge(group, { 'AwsSolutions-EC23': 'It serves the public.' });
  return group;
}
