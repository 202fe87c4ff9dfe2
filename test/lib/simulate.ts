import { runSimulation } from '@cloud-copilot/iam-simulate';
import type { PolicyDocument, Statement } from './digest-iam';

const ACCOUNT = '111122223333';
const REGION = 'ap-northeast-1';

/** A call to AWS: what is done, to what, with what tags and other facts known of it. */
export interface AwsRequest {
  readonly action: string;
  readonly resource: string;
  readonly context?: Record<string, string>;
  /** What the resource says itself of who may use it; keys must. */
  readonly resourcePolicy?: PolicyDocument;
}

/** Whether the policies of one role allow it, by the rules of IAM; a policy that IAM would not take is an error. */
export async function isAllowed(policies: readonly PolicyDocument[], request: AwsRequest): Promise<boolean> {
  const answer = await runSimulation(
    {
      identityPolicies: policies.map((policy, index) => ({
        name: `policy-${index}`,
        policy: literalPolicy(policy),
      })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(request.resourcePolicy && { resourcePolicy: literalPolicy(request.resourcePolicy) }),
      request: {
        action: request.action,
        principal: `arn:aws:iam::${ACCOUNT}:role/tested`,
        resource: { resource: request.resource, accountId: ACCOUNT },
        contextVariables: request.context ?? {},
      },
    },
    {},
  );
  if (answer.resultType === 'error') throw new Error(JSON.stringify(answer));
  return answer.overallResult === 'Allowed';
}

/** An auto-scaling group, and what is known of it to IAM. */
export function scalingGroup(action: string, tags: Record<string, string>, account = ACCOUNT): AwsRequest {
  return {
    action: `autoscaling:${action}`,
    resource: `arn:aws:autoscaling:${REGION}:${account}:autoScalingGroup:01234567-89ab-cdef-0123-456789abcdef:autoScalingGroupName/eks-nodes`,
    context: Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value])),
  };
}

function literalPolicy(policy: PolicyDocument): object {
  return { Version: '2012-10-17', Statement: policy.Statement.map(literal) };
}

/** References have to be something. */
function literal(statement: Statement): Statement {
  return JSON.parse(
    JSON.stringify(statement)
      .replaceAll('${AWS::Partition}', 'aws')
      .replaceAll(/\$\{[^}]*\}/g, 'reference'),
  ) as Statement;
}
