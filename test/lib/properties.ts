import { plain } from './plain';
import { resourcesOf, type Synthesised } from './synth';

/** Of all resources of a type, in plain words. */
export function propertiesOf(synthesised: Synthesised, type: string): Record<string, unknown>[] {
  return resourcesOf(synthesised, type).map(({ Properties }) => plain(Properties ?? {}) as Record<string, unknown>);
}

/** Of the one resource of a type that there may be. */
export function onlyOf(synthesised: Synthesised, type: string): Record<string, unknown> {
  const found = propertiesOf(synthesised, type);
  expect(found).toHaveLength(1);
  return found[0] ?? {};
}
