import { Certificate, CertificateValidation } from 'aws-cdk-lib/aws-certificatemanager';
import { ARecord, HostedZone, type IHostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import type { LoadBalancer } from './load-balancer';
import type { Settings } from './settings';

/** The zone of all hosts; it is there before us. */
export function hostedZone(scope: Construct, { workload: { hostedZone: zone } }: Settings): IHostedZone {
  return HostedZone.fromHostedZoneAttributes(scope, 'zone', { hostedZoneId: zone.id, zoneName: zone.name });
}

/**
 * One certificate for all hosts. AWS asks the zone whether it is ours, and waits for the answer: a zone that nobody
 * delegated to never gives one.
 */
export function certificate(scope: Construct, settings: Settings, zone: IHostedZone): Certificate {
  const [first = '', ...others] = settings.workload.hosts.map(({ host }) => host);
  return new Certificate(scope, 'certificate', {
    domainName: first,
    ...(others.length > 0 && { subjectAlternativeNames: others }),
    validation: CertificateValidation.fromDns(zone),
  });
}

/** The hosts' names, each an alias of the load balancer's. */
export function hostRecords(scope: Construct, settings: Settings, zone: IHostedZone, target: LoadBalancer): void {
  const { dnsName, hostedZoneId } = target;
  for (const { host } of settings.workload.hosts) {
    new ARecord(scope, `record-${host}`, {
      zone,
      // The dot: it is the whole name, and not one below the zone's.
      recordName: `${host}.`,
      target: RecordTarget.fromAlias({ bind: () => ({ dnsName, hostedZoneId }) }),
    });
  }
}
