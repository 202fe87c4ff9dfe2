import { parse } from 'yaml';
import { type Manifest, withoutPruneLabels } from './manifests';
import { parsed, plain } from './plain';
import { resourcesOf, type Synthesised } from './synth';

/**
 * What one environment has otherwise than another, names and accounts apart, and what only one of them has: the question
 * "was this tried on staging?" in one page.
 */
export function differences(one: Synthesised, other: Synthesised): Record<string, string> {
  const left = flat(one);
  const right = flat(other);
  const found: Record<string, string> = {};
  for (const path of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const [a, b] = [left.get(path), right.get(path)];
    // Of a resource that only one of them has, its type says enough.
    const resource = /^\S+ [^. ]+/.exec(path)?.[0] ?? path;
    if (path !== resource && left.has(resource) !== right.has(resource)) continue;
    if (a !== b) found[path] = `${a ?? '–'} | ${b ?? '–'}`;
  }
  return found;
}

/** Every value by its path. */
function flat(synthesised: Synthesised): Map<string, string> {
  const { name, account } = synthesised.settings;
  const neutral = (text: string): string =>
    text
      .replaceAll(new RegExp(`rpc(-?)${name}`, 'g'), 'rpc$1ENV')
      .replaceAll(account, 'ACCOUNT')
      // The CDK puts the path of the cluster, and a hash of it, into names of what the controller has.
      .replaceAll(/rpcENVcluster[0-9A-F]{8}(AlbController\w*?)[0-9A-F]{8}\b/g, 'rpcENVcluster$1');
  const found = new Map<string, string>();
  for (const { stack, id, Type, Properties, DeletionPolicy } of resourcesOf(synthesised)) {
    const at = `${stack} ${neutral(id).replace(/[0-9A-F]{8}$/, '')}`;
    found.set(at, Type);
    if (DeletionPolicy !== undefined) found.set(`${at} DeletionPolicy`, DeletionPolicy);
    walk(readable(Type, Properties), at, (path, value) => found.set(path, neutral(value)));
  }
  for (const [part, { terminationProtection }] of synthesised.stacks) {
    found.set(`${part} terminationProtection`, String(terminationProtection));
  }
  return found;
}

/** What has a digest of its own (`alarms`), or shows what others have. */
const DIGESTED = ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::Dashboard'];

/** Tags name the environment, which is no news; manifests have a digest of their own but for what differs. */
function readable(type: string, properties: Record<string, unknown> = {}): unknown {
  if (DIGESTED.includes(type)) return {};
  const { Tags: _, Manifest: manifest, PruneLabel: __, ...rest } = properties;
  if (manifest === undefined || !type.startsWith('Custom::')) return plain(rest);
  const objects = (parsed(manifest) as Manifest[]).map(withoutPruneLabels);
  return Object.fromEntries(
    objects.map((object) => [
      `${String(object['kind'])} ${(object['metadata'] as { name: string }).name}`,
      opened(object),
    ]),
  );
}

/** With the files in a ConfigMap read, so that a key in one is a value of its own. */
function opened({ data, ...object }: Manifest): unknown {
  if (data === undefined) return object;
  const files = Object.entries(data as Record<string, string>);
  return { ...object, data: Object.fromEntries(files.map(([file, text]) => [file, parse(text) as unknown])) };
}

function walk(value: unknown, at: string, tell: (path: string, value: string) => void): void {
  if (typeof value !== 'object' || value === null) tell(at, String(value));
  else for (const [key, child] of Object.entries(value)) walk(child, `${at}.${key}`, tell);
}
