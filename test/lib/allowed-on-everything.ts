/**
 * Actions that change something and are allowed on `*` without a condition: exactly these, with the reason. All are of
 * AWS Load Balancer Controller's own policy (test/lib/invariants.test.ts checks both).
 */
export const ALLOWED_ON_EVERYTHING: Readonly<Record<string, string>> = {
  'ec2:CreateSecurityGroup': 'What is made has no name and no tag yet.',
  'ec2:AuthorizeSecurityGroupIngress': 'It opens the groups of nodes, which are not its own and bear no tag of it.',
  'ec2:RevokeSecurityGroupIngress': 'It closes what it opened there.',
  'elasticloadbalancing:CreateListener': 'What is made has no name and no tag yet.',
  'elasticloadbalancing:DeleteListener': 'Listeners of older versions bear no tag.',
  'elasticloadbalancing:ModifyListener': 'Listeners of older versions bear no tag.',
  'elasticloadbalancing:AddListenerCertificates': 'Listeners of older versions bear no tag.',
  'elasticloadbalancing:RemoveListenerCertificates': 'Listeners of older versions bear no tag.',
  'elasticloadbalancing:CreateRule': 'What is made has no name and no tag yet.',
  'elasticloadbalancing:DeleteRule': 'Rules of older versions bear no tag.',
  'elasticloadbalancing:ModifyRule': 'Rules of older versions bear no tag.',
  'elasticloadbalancing:SetRulePriorities': 'Rules of older versions bear no tag.',
  'elasticloadbalancing:SetWebAcl': 'An Ingress may name a firewall.',
  'wafv2:AssociateWebACL': 'An Ingress may name a firewall.',
  'wafv2:DisassociateWebACL': 'An Ingress may name a firewall no longer.',
  'waf-regional:AssociateWebACL': 'An Ingress may name a firewall of the older kind.',
  'waf-regional:DisassociateWebACL': 'An Ingress may name a firewall of the older kind no longer.',
  'shield:CreateProtection': 'An Ingress may ask for AWS Shield.',
  'shield:DeleteProtection': 'An Ingress may ask for AWS Shield no longer.',
};
