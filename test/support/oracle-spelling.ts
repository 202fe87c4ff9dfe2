/** The same JSON value in many spellings, by a generator that a seed repeats. */
export class OracleSpelling {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** Uniform in [0, 1): mulberry32. */
  readonly random = (): number => {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };

  readonly pick = <T>(of: readonly T[]): T => {
    if (of.length === 0) throw new RangeError('there is nothing to pick from');
    return of[Math.floor(this.random() * of.length)] as T;
  };

  /** Other key order, other white space, other case of hexadecimal digits, an escape here and there. */
  spell(value: unknown): string {
    if (Array.isArray(value)) return `[${value.map((item) => this.spaced(this.spell(item))).join(',')}]`;
    if (typeof value === 'object' && value !== null) {
      const members = Object.entries(value).map(([name, member]) => {
        return `${this.spaced(this.text(name))}:${this.spaced(this.spell(member))}`;
      });
      return `{${this.shuffled(members).join(',')}}`;
    }
    return typeof value === 'string' ? this.text(value) : JSON.stringify(value);
  }

  envelope(method: string, params: string): string {
    const members = ['"jsonrpc":"2.0"', '"id":1', `"method":"${method}"`, `"params":${params}`];
    return `{${this.shuffled(members)
      .map((member) => this.spaced(member))
      .join(',')}}`;
  }

  private text(value: string): string {
    const text = JSON.stringify(/^0x[0-9a-f]*$/i.test(value) ? this.recased(value) : value);
    const last = text.charCodeAt(text.length - 2);
    if (text.length < 3 || this.random() > 0.05) return text;
    return `${text.slice(0, -2)}\\u${last.toString(16).padStart(4, '0')}"`;
  }

  private recased(hex: string): string {
    const digits = hex.slice(2);
    return `0x${this.pick([digits, digits.toLowerCase(), digits.toUpperCase()])}`;
  }

  private spaced(text: string): string {
    return `${this.pick(['', '', ' ', '\n', '\t ', '\r\n'])}${text}${this.pick(['', '', ' '])}`;
  }

  private shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, at: this.random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);
  }
}
