import { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';
import { nameOf } from './names';
import type { Firewall, Settings } from './settings';

/**
 * AWS WAF for the load balancer: refuses addresses with a bad name and requests that are known attacks, and limits each
 * address, before a pod sees any of it. Not AWS's "common" rules, which refuse bodies over 8 KB and clients that do not
 * tell what they are; not its list of anonymous addresses, where many servers stand.
 *
 * @returns the web ACL's ARN
 */
export function firewall(scope: Construct, settings: Settings, { requestsPerFiveMinutes }: Firewall): string {
  const acl = new CfnWebACL(scope, 'firewall', {
    name: nameOf(settings),
    description: 'In front of the Ethereum RPC balancer',
    scope: 'REGIONAL',
    defaultAction: { allow: {} },
    visibilityConfig: visibility(nameOf(settings)),
    customResponseBodies: {
      [LIMITED]: { contentType: 'APPLICATION_JSON', content: limitedBody(requestsPerFiveMinutes) },
    },
    rules: [
      managed('reputation', 'AWSManagedRulesAmazonIpReputationList'),
      managed('known-bad-inputs', 'AWSManagedRulesKnownBadInputsRuleSet'),
      { name: 'rate', statement: rate(requestsPerFiveMinutes), action: { block: ANSWER_429 } },
    ].map((rule, priority) => ({ ...rule, priority, visibilityConfig: visibility(rule.name) })),
  });
  return acl.attrArn;
}

/** As the proxy itself answers a client that asks too much. */
export function limitedBody(requestsPerFiveMinutes: number): string {
  const message = `Limit exceeded: ${requestsPerFiveMinutes} requests in 5 minutes`;
  return JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32005, message } });
}

const LIMITED = 'limited';

const ANSWER_429 = { customResponse: { responseCode: 429, customResponseBodyKey: LIMITED } };

function managed(name: string, ruleSet: string) {
  const statement = { managedRuleGroupStatement: { vendorName: 'AWS', name: ruleSet } };
  // Its rules say themselves what they do.
  return { name, statement, overrideAction: { none: {} } };
}

function rate(limit: number): CfnWebACL.StatementProperty {
  return { rateBasedStatement: { limit, aggregateKeyType: 'IP', evaluationWindowSec: 300 } };
}

function visibility(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { metricName, cloudWatchMetricsEnabled: true, sampledRequestsEnabled: true };
}
