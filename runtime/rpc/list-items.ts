import { JsonScanner, type JsonVisitor } from './json-scanner';

/** The items of a JSON list, each as the text it stands there as; undefined where the bytes are no list. */
export function listItems(bytes: Buffer): string[] | undefined {
  if (bytes[0] !== 0x5b) return undefined;
  const items: string[] = [];
  const visitor: JsonVisitor = {
    open: () => undefined,
    key: () => undefined,
    close: (depth, _kind, start, end) => {
      if (depth === 1) items.push(bytes.toString('utf8', start, end));
    },
  };
  const scanner = new JsonScanner(visitor, Number.MAX_SAFE_INTEGER, 1);
  return scanner.push(bytes) && scanner.end() ? items : undefined;
}
