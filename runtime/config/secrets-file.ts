import { ConfigError } from './load';
import { displayPath } from './problems';
import { entriesOf, isMapping } from './walk';

/**
 * Reads a file of secrets: one JSON object, each value a text.
 *
 * @throws ConfigError with all problems, which tell names and never values
 */
export function parseSecrets(text: string, source = 'the secrets'): Readonly<Record<string, string>> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw new ConfigError(source, ['the file must be JSON']);
  }
  if (!isMapping(document)) throw new ConfigError(source, ['the file must be a JSON object of texts']);
  const problems = entriesOf(document)
    .filter(([, value]) => typeof value !== 'string')
    .map(([name]) => `${displayPath([name])} must be a text`);
  if (problems.length > 0) throw new ConfigError(source, problems);
  return document as Readonly<Record<string, string>>;
}
