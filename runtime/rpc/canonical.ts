import { foldName } from './fold-name';

/**
 * One spelling for equal params: members of objects in order, no space between tokens, hexadecimal text in lower
 * case. Numbers keep the digits they were sent with, because reading them would make different ones equal.
 *
 * @param bytes JSON that has been checked already
 * @returns undefined where equality cannot be told from the text, as with a member that stands twice: also in another
 *   case, because nodes written in Go take `To` for `to`, and others do not
 */
export function toCanonical(bytes: Buffer): string | undefined {
  const reader = new CanonicalReader(bytes.toString('utf8'));
  const text = reader.value();
  return reader.ambiguous ? undefined : text;
}

const HEX = /^"0x[0-9a-fA-F]*"$/;

/** Recursive descent over valid JSON; the depth of a request is bounded before. */
class CanonicalReader {
  ambiguous = false;
  private at = 0;

  constructor(private readonly text: string) {}

  value(): string {
    this.skipSpace();
    switch (this.text[this.at]) {
      case '{':
        return this.object();
      case '[':
        return this.array();
      case '"':
        return this.string();
      default:
        return this.word();
    }
  }

  private object(): string {
    const members = new Map<string, string>();
    const folded = new Set<string>();
    this.at++;
    while (!this.ends('}')) {
      const name = this.string();
      this.skipSpace();
      this.at++; // the colon
      const fold = foldName(name);
      if (folded.has(fold)) this.ambiguous = true;
      folded.add(fold);
      members.set(name, this.value());
    }
    const names = [...members.keys()].sort();
    return `{${names.map((name) => `${name}:${members.get(name) ?? ''}`).join(',')}}`;
  }

  private array(): string {
    const items: string[] = [];
    this.at++;
    while (!this.ends(']')) items.push(this.value());
    return `[${items.join(',')}]`;
  }

  /** Skips space and a comma. @returns whether the list ended here */
  private ends(close: '}' | ']'): boolean {
    this.skipSpace();
    if (this.text[this.at] === ',') {
      this.at++;
      this.skipSpace();
    }
    if (this.text[this.at] !== close) return false;
    this.at++;
    return true;
  }

  private string(): string {
    const start = this.at++;
    let escaped = false;
    for (;;) {
      const c = this.text.charCodeAt(this.at++);
      if (c === 0x22) break;
      if (c === 0x5c) {
        escaped = true;
        this.at++;
      }
    }
    const raw = this.text.slice(start, this.at);
    const plain = escaped ? JSON.stringify(JSON.parse(raw)) : raw;
    return HEX.test(plain) ? plain.toLowerCase() : plain;
  }

  private word(): string {
    const start = this.at;
    while (this.at < this.text.length && !/[\s,\]}]/.test(this.text[this.at] ?? '')) this.at++;
    return this.text.slice(start, this.at);
  }

  private skipSpace(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.at++;
    }
  }
}
