/** Kinds of JSON values (RFC 8259, section 3). */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'true' | 'false' | 'null';

/**
 * What a caller is told while bytes are scanned. Offsets count from the first byte ever pushed. Depth 0 is the root,
 * depth 1 its members or items, and so on; nothing deeper than `visitDepth` is told.
 */
export interface JsonVisitor {
  open(depth: number, kind: JsonKind, start: number): void;
  /** An object's member name, quotes included; its value has the same depth and follows. */
  key(depth: number, start: number, end: number): void;
  close(depth: number, kind: JsonKind, start: number, end: number): void;
}

const enum State {
  Value,
  FirstItem,
  FirstKey,
  Key,
  Colon,
  AfterValue,
  String,
  Escape,
  Hex,
  Minus,
  Zero,
  Integer,
  Point,
  Fraction,
  Exponent,
  ExponentSign,
  ExponentDigits,
  Literal,
  Done,
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * A strict, resumable JSON scanner: it accepts exactly the grammar of RFC 8259 (UTF-8 validity is checked elsewhere),
 * copies nothing and builds nothing, so that ids, params and results travel as the bytes they were sent as.
 * `push` and `end` answer false once the text is refused; `problem` then says why and where.
 */
export class JsonScanner {
  problem = '';
  private state: State = State.Value;
  private depth = 0;
  private offset = 0;
  /** 1 where the open container of that depth is an object. */
  private objects = new Uint8Array(64);
  private readonly starts: number[] = [];
  private inKey = false;
  private stringStart = 0;
  private hexLeft = 0;
  private literal = '';
  private literalAt = 0;
  private numberStart = 0;

  constructor(
    private visitor: JsonVisitor,
    private maxDepth: number,
    private visitDepth: number,
  ) {}

  /** Starts over for another text; one scanner serves many texts. */
  reset(visitor: JsonVisitor, maxDepth: number, visitDepth: number): void {
    this.visitor = visitor;
    this.maxDepth = maxDepth;
    this.visitDepth = visitDepth;
    this.problem = '';
    this.state = State.Value;
    this.depth = 0;
    this.offset = 0;
    this.inKey = false;
  }

  /** True when the whole root value has been seen. */
  get complete(): boolean {
    return this.state === State.Done;
  }

  push(bytes: Uint8Array): boolean {
    if (this.problem !== '') return false;
    const base = this.offset;
    const length = bytes.length;
    let i = 0;
    while (i < length) {
      const c = bytes[i] ?? 0;
      switch (this.state) {
        case State.String:
          // The long run: hex data and text. Stops at a quote, an escape or a control character.
          while (i < length) {
            const s = bytes[i] ?? 0;
            if (s === QUOTE || s === BACKSLASH || s < 0x20) break;
            i++;
          }
          if (i === length) break;
          if (bytes[i] === QUOTE) {
            i++;
            this.endString(base + i);
          } else if (bytes[i] === BACKSLASH) {
            i++;
            this.state = State.Escape;
          } else {
            return this.refuse('a control character in a string', base + i);
          }
          break;
        case State.Value:
        case State.FirstItem:
          if (isSpace(c)) {
            i++;
          } else if (c === 0x5d && this.state === State.FirstItem) {
            i++;
            this.endContainer(base + i);
          } else if (!this.beginValue(c, base + i)) {
            return false;
          } else {
            i++;
          }
          break;
        case State.FirstKey:
        case State.Key:
          if (isSpace(c)) {
            i++;
          } else if (c === QUOTE) {
            this.inKey = true;
            this.stringStart = base + i;
            this.state = State.String;
            i++;
          } else if (c === 0x7d && this.state === State.FirstKey) {
            i++;
            this.endContainer(base + i);
          } else {
            return this.refuse('a member name was expected', base + i);
          }
          break;
        case State.Colon:
          if (c === 0x3a) this.state = State.Value;
          else if (!isSpace(c)) return this.refuse('a colon was expected', base + i);
          i++;
          break;
        case State.AfterValue:
          if (isSpace(c)) {
            i++;
          } else if (c === 0x2c) {
            this.state = this.objects[this.depth - 1] === 1 ? State.Key : State.Value;
            i++;
          } else if (c === (this.objects[this.depth - 1] === 1 ? 0x7d : 0x5d)) {
            i++;
            this.endContainer(base + i);
          } else {
            return this.refuse('a comma or the end of the list was expected', base + i);
          }
          break;
        case State.Escape:
          if (c === 0x75) {
            this.hexLeft = 4;
            this.state = State.Hex;
          } else if (isEscape(c)) {
            this.state = State.String;
          } else {
            return this.refuse('an unknown escape in a string', base + i);
          }
          i++;
          break;
        case State.Hex:
          if (!isHex(c)) return this.refuse('a hexadecimal digit was expected', base + i);
          if (--this.hexLeft === 0) this.state = State.String;
          i++;
          break;
        case State.Literal:
          if (c !== this.literal.charCodeAt(this.literalAt)) return this.refuse('an unknown word', base + i);
          i++;
          if (++this.literalAt === this.literal.length) this.endScalar(this.literal as JsonKind, base + i);
          break;
        case State.Done:
          if (!isSpace(c)) return this.refuse('text after the end', base + i);
          i++;
          break;
        default:
          // A number's states: a byte that cannot continue it ends it and is looked at again.
          if (this.continueNumber(c)) i++;
          else if (this.numberMayEnd()) this.endScalar('number', base + i);
          else return this.refuse('a digit was expected', base + i);
      }
    }
    this.offset = base + length;
    return true;
  }

  /** Says that no more bytes follow; false when the text is not one whole JSON value. */
  end(): boolean {
    if (this.problem !== '') return false;
    if (this.depth === 0 && this.numberMayEnd()) this.endScalar('number', this.offset);
    return this.complete || this.refuse('the text ends too early', this.offset);
  }

  private beginValue(c: number, at: number): boolean {
    switch (c) {
      case QUOTE:
        this.inKey = false;
        this.stringStart = at;
        this.state = State.String;
        if (this.depth <= this.visitDepth) this.visitor.open(this.depth, 'string', at);
        return true;
      case 0x7b:
        return this.beginContainer('object', at);
      case 0x5b:
        return this.beginContainer('array', at);
      case 0x74:
        return this.beginLiteral('true', at);
      case 0x66:
        return this.beginLiteral('false', at);
      case 0x6e:
        return this.beginLiteral('null', at);
      default:
        if (c !== 0x2d && !isDigit(c)) return this.refuse('a value was expected', at);
        this.numberStart = at;
        this.state = c === 0x2d ? State.Minus : c === 0x30 ? State.Zero : State.Integer;
        if (this.depth <= this.visitDepth) this.visitor.open(this.depth, 'number', at);
        return true;
    }
  }

  private beginContainer(kind: 'object' | 'array', at: number): boolean {
    if (this.depth >= this.maxDepth) return this.refuse(`nested deeper than ${this.maxDepth}`, at);
    if (this.depth <= this.visitDepth) {
      this.starts[this.depth] = at;
      this.visitor.open(this.depth, kind, at);
    }
    if (this.depth === this.objects.length) this.objects = grown(this.objects);
    this.objects[this.depth++] = kind === 'object' ? 1 : 0;
    this.state = kind === 'object' ? State.FirstKey : State.FirstItem;
    return true;
  }

  private beginLiteral(word: 'true' | 'false' | 'null', at: number): boolean {
    this.literal = word;
    this.literalAt = 1;
    this.numberStart = at;
    this.state = State.Literal;
    if (this.depth <= this.visitDepth) this.visitor.open(this.depth, word, at);
    return true;
  }

  private endContainer(end: number): void {
    this.depth--;
    if (this.depth <= this.visitDepth) {
      const kind = this.objects[this.depth] === 1 ? 'object' : 'array';
      this.visitor.close(this.depth, kind, this.starts[this.depth] ?? 0, end);
    }
    this.state = this.depth === 0 ? State.Done : State.AfterValue;
  }

  private endString(end: number): void {
    if (this.inKey) {
      this.inKey = false;
      this.state = State.Colon;
      if (this.depth <= this.visitDepth) this.visitor.key(this.depth, this.stringStart, end);
      return;
    }
    if (this.depth <= this.visitDepth) this.visitor.close(this.depth, 'string', this.stringStart, end);
    this.state = this.depth === 0 ? State.Done : State.AfterValue;
  }

  private endScalar(kind: JsonKind, end: number): void {
    if (this.depth <= this.visitDepth) this.visitor.close(this.depth, kind, this.numberStart, end);
    this.state = this.depth === 0 ? State.Done : State.AfterValue;
  }

  private continueNumber(c: number): boolean {
    const next = nextNumberState(this.state, c);
    if (next === undefined) return false;
    this.state = next;
    return true;
  }

  private numberMayEnd(): boolean {
    const s = this.state;
    return s === State.Zero || s === State.Integer || s === State.Fraction || s === State.ExponentDigits;
  }

  private refuse(problem: string, at: number): false {
    this.problem = `${problem} (byte ${at})`;
    return false;
  }
}

function nextNumberState(state: State, c: number): State | undefined {
  switch (state) {
    case State.Minus:
      return c === 0x30 ? State.Zero : isDigit(c) ? State.Integer : undefined;
    case State.Zero:
      return c === 0x2e ? State.Point : isE(c) ? State.Exponent : undefined;
    case State.Integer:
      return isDigit(c) ? State.Integer : c === 0x2e ? State.Point : isE(c) ? State.Exponent : undefined;
    case State.Point:
      return isDigit(c) ? State.Fraction : undefined;
    case State.Fraction:
      return isDigit(c) ? State.Fraction : isE(c) ? State.Exponent : undefined;
    case State.Exponent:
      return isDigit(c) ? State.ExponentDigits : c === 0x2b || c === 0x2d ? State.ExponentSign : undefined;
    case State.ExponentSign:
    case State.ExponentDigits:
      return isDigit(c) ? State.ExponentDigits : undefined;
    default:
      return undefined;
  }
}

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

function isE(c: number): boolean {
  return c === 0x65 || c === 0x45;
}

function isHex(c: number): boolean {
  return isDigit(c) || (c >= 0x61 && c <= 0x66) || (c >= 0x41 && c <= 0x46);
}

function isEscape(c: number): boolean {
  return (
    c === QUOTE || c === BACKSLASH || c === 0x2f || c === 0x62 || c === 0x66 || c === 0x6e || c === 0x72 || c === 0x74
  );
}

function grown(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 2);
  larger.set(bytes);
  return larger;
}
