import { limitedBody } from '../../lib/firewall';
import { errorObject, refusal } from '../../runtime/rpc/errors';
import { find, type Manifest } from '../constructs/manifests';
import { example } from './example';
import { manifestsOf } from './manifests';
import { onlyOf } from './properties';
import { changed } from './rejected';
import { resourcesOf, synthesise, type Synthesised } from './synth';

describe('the firewall', () => {
  const aclOf = (synthesised: Synthesised): string | undefined =>
    find(manifestsOf(synthesised, 'app') as unknown as Manifest[], 'Ingress').metadata.annotations?.[
      'alb.ingress.kubernetes.io/wafv2-acl-arn'
    ];
  const on = synthesise(changed(example, { 'workload.waf': { requestsPerFiveMinutes: 3000 } }));

  // Without a word of it, the controller would leave the one that is there in front.
  it('is taken away where there is none', () => {
    const off = synthesise(example);
    expect(resourcesOf(off, 'AWS::WAFv2::WebACL')).toEqual([]);
    expect(aclOf(off)).toBe('none');
  });

  it('refuses bad addresses and known attacks, and nothing that clients of JSON-RPC do', () => {
    const acl = onlyOf(on, 'AWS::WAFv2::WebACL') as { Rules: { Name: string; Priority: number; Statement: object }[] };
    expect(acl).toMatchObject({ Scope: 'REGIONAL', DefaultAction: { Allow: {} } });
    expect(acl.Rules.map(({ Name, Priority }) => [Name, Priority])).toEqual([
      ['reputation', 0],
      ['known-bad-inputs', 1],
      ['rate', 2],
    ]);
    expect(JSON.stringify(acl)).not.toMatch(/CommonRuleSet|AnonymousIpList/);
    expect(aclOf(on)).toMatch(/^\$\{firewall.*\.Arn\}$/);
  });

  it('answers those who ask too much as the proxy does', () => {
    const acl = onlyOf(on, 'AWS::WAFv2::WebACL') as {
      Rules: { Name: string; Action?: unknown; Statement: unknown }[];
      CustomResponseBodies: Record<string, { ContentType: string; Content: string }>;
    };
    const { status, ...error } = refusal('LIMITED', '3000 requests in 5 minutes');
    expect(acl.Rules.find(({ Name }) => Name === 'rate')).toMatchObject({
      Statement: { RateBasedStatement: { Limit: 3000, AggregateKeyType: 'IP', EvaluationWindowSec: 300 } },
      Action: { Block: { CustomResponse: { ResponseCode: status, CustomResponseBodyKey: 'limited' } } },
    });
    const { limited } = acl.CustomResponseBodies;
    expect(limited).toEqual({ ContentType: 'APPLICATION_JSON', Content: limitedBody(3000) });
    const written: unknown = JSON.parse(errorObject({ status, ...error }).toString());
    expect(JSON.parse(limited?.Content ?? '')).toEqual({ jsonrpc: '2.0', id: null, error: written });
  });
});
