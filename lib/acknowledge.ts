import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Findings that are meant, in the construct and below, each with its reason. What is not told here fails synth or a test. */
export function acknowledge(construct: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(reasons)) Validations.of(construct).acknowledge({ id, reason });
}

/** That a role has a policy of AWS's, by the policy's name. */
export function managedPolicy(name: string): string {
  return `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${name}]`;
}

/** That a policy names a resource with `*` in it. */
export function wildcard(resource: string): string {
  return `AwsSolutions-IAM5[Resource::${resource}]`;
}
