import { example } from './example';
import { policiesOf } from './digest-iam';
import { type AwsRequest, isAllowed } from './simulate';
import { synthesise } from './synth';

const VIA_SECRETS_MANAGER = { 'kms:ViaService': 'secretsmanager.ap-northeast-1.amazonaws.com' };

describe("the pods' role", () => {
  const synthesised = synthesise(example);
  const policies = policiesOf(synthesised)
    .filter(({ stack, id }) => stack === 'app' && id.startsWith('roleDefaultPolicy'))
    .map(({ document }) => document);
  // The simulator takes names for what is known at deployment only, so each reference becomes an ARN.
  const arns: Record<string, string> = {};
  const documents = policies.map(({ Statement }) => ({
    Statement: Statement.map((statement) => ({
      ...statement,
      Resource: [statement.Resource ?? []].flat().map((reference) => (arns[reference] ??= arnOf(reference))),
    })),
  }));
  const may = (request: AwsRequest): Promise<boolean> => isAllowed(documents, request);
  const [ofCache = '', ofProviders = ''] = ['accesssecret', 'providersecret8'].map(arnNamed);

  function arnNamed(part: string): string {
    return Object.entries(arns).find(([reference]) => reference.includes(part))?.[1] ?? '';
  }

  it('names four things, and no pattern', () => {
    expect(Object.keys(arns)).toHaveLength(4);
    expect(Object.keys(arns).filter((reference) => reference.includes('*'))).toEqual([]);
    expect(new Set(Object.values(arns)).size).toBe(4);
  });

  it.each(['GetSecretValue', 'DescribeSecret'])('may %s of both secrets, and of no other', async (name) => {
    const action = `secretsmanager:${name}`;
    expect(await may({ action, resource: ofCache })).toBe(true);
    expect(await may({ action, resource: ofProviders })).toBe(true);
    expect(await may({ action, resource: arnOf('${another-stack:secret}') })).toBe(false);
  });

  it.each(['PutSecretValue', 'DeleteSecret', 'UpdateSecret'])('may not %s', async (name) => {
    expect(await may({ action: `secretsmanager:${name}`, resource: ofProviders })).toBe(false);
  });

  it.each([
    ['cache', 'key'],
    ['cluster', 'providersecretkey'],
  ])("may decrypt with the %s's key through Secrets Manager, and not by itself", async (stack, start) => {
    const key = policiesOf(synthesised).find(
      (policy) => policy.type === 'AWS::KMS::Key' && policy.stack === stack && policy.id.startsWith(start),
    );
    if (key === undefined) throw new Error('there is no such key');
    const decrypt = { action: 'kms:Decrypt', resource: arnNamed(`${stack}:${start}`), resourcePolicy: key.document };
    expect(await may({ ...decrypt, context: VIA_SECRETS_MANAGER })).toBe(true);
    expect(await may(decrypt)).toBe(false);
    expect(await may({ ...decrypt, context: { 'kms:ViaService': 's3.ap-northeast-1.amazonaws.com' } })).toBe(false);
    expect(await may({ ...decrypt, action: 'kms:Encrypt', context: VIA_SECRETS_MANAGER })).toBe(false);
  });
});

/** @param reference such as `${stack:resource}` */
function arnOf(reference: string): string {
  const name = reference.replaceAll(/[^\w]/g, '');
  return /key/i.test(reference)
    ? `arn:aws:kms:ap-northeast-1:111122223333:key/${name}`
    : `arn:aws:secretsmanager:ap-northeast-1:111122223333:secret:${name}`;
}
