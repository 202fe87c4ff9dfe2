import type { Duration } from 'cdk8s';
import type { HostProps } from './hosts';

export interface AlbProps {
  /** At most 32 lower-case letters, digits and dashes; DNS finds the load balancer by it. */
  readonly loadBalancerName: string;
  /** ARN of a certificate for all hosts. May be a token. */
  readonly certificateArn: string;
  /** Id of the security group that says who may connect. May be a token. */
  readonly securityGroup: string;
  /** From one byte to the next until a connection is closed, 1 to 4000 s. @default 1 hour, for WebSockets, as in the guide */
  readonly idleTimeout?: Duration;
  /** For how long requests to a pod that ends are finished, 0 to 3600 s. @default 30 s */
  readonly deregistrationDelay?: Duration;
  /** Whether it can be deleted only after this was turned off. */
  readonly deletionProtection: boolean;
  /** Which TLS versions and ciphers are spoken. @default TLS 1.2 and 1.3, with forward secrecy, post-quantum too */
  readonly sslPolicy?: string;
  /** Where each request is logged. The bucket's policy must exist before. @default nowhere */
  readonly accessLogs?: { readonly bucket: string; readonly prefix: string };
  /** ARN of a web ACL, or `none`, which takes away the one that is there. May be a token. @default left as it is */
  readonly webAclArn?: string;
  /** At least one of the proxy. */
  readonly hosts: readonly HostProps[];
}

export const ALB_DEFAULTS = {
  idleTimeoutSeconds: 3600,
  deregistrationSeconds: 30,
  sslPolicy: 'ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09',
};
