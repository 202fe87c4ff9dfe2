/**
 * A value of a template as a person reads it: references as `${id}`, joins joined, hashes of assets masked (digests of
 * others' images are not). What is not an intrinsic function stays as it is.
 */
export function plain(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/(?<!@sha256:)[0-9a-f]{64}/g, '<hash>');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  const intrinsic = entries.length === 1 && first !== undefined ? INTRINSICS[first[0]] : undefined;
  if (intrinsic !== undefined) return intrinsic(first?.[1]);
  return Object.fromEntries(entries.map(([key, child]) => [key, plain(child)]));
}

const INTRINSICS: Record<string, ((argument: unknown) => unknown) | undefined> = {
  Ref: (id) => `\${${String(id)}}`,
  'Fn::GetAtt': (path) => `\${${(path as string[]).join('.')}}`,
  'Fn::Sub': (text) => plain(text),
  'Fn::Join': (argument) => {
    const [glue, parts] = argument as [string, unknown[]];
    return parts.map((part) => text(plain(part))).join(glue);
  },
  'Fn::GetStackOutput': (argument) => {
    const { StackName, OutputName } = argument as { StackName: string; OutputName: string };
    return `\${${StackName}:${OutputName.replace(/^PublishOutput(Ref|FnGetAtt)/, '').replace(/[0-9A-F]{8}$/, '')}}`;
  },
  'Fn::Select': (argument) => {
    const [index, list] = argument as [number | string, unknown];
    return `${text(plain(list))}[${index}]`;
  },
  'Fn::Split': (argument) => `split(${text(plain((argument as unknown[])[1]))})`,
  'Fn::If': (argument) => `if(${(argument as unknown[]).map((part) => text(plain(part))).join(', ')})`,
};

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Manifests and Helm values stand in a template as the text of JSON, put together around references. */
export function parsed(value: unknown): unknown {
  return JSON.parse(text(plain(value)));
}
