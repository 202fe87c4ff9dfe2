import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface DocCommand {
  readonly page: string;
  readonly command: string;
}

/** The lines of a page's shell blocks, and single lines between back-ticks, that begin with one of these words. */
export function commandsOf(page: string, ...words: readonly string[]): DocCommand[] {
  const text = readFileSync(join(__dirname, '..', '..', page), 'utf8');
  const blocks = [...text.matchAll(/^ *```bash\n([^]*?)^ *```/gm)].flatMap(([, block = '']) => block.split('\n'));
  const inline = [...text.replaceAll(/^ *```[^]*?^ *```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  return [...blocks, ...inline]
    .map((line) => line.trim().replace(/\s+#.*$/, ''))
    .filter((line) => words.some((word) => line.startsWith(`${word} `)))
    .map((command) => ({ page, command }));
}
