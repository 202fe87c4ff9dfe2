import { nearest } from '../../runtime/config/nearest';

/** What a value is made of, whatever it says. `tsx` runs settings that TypeScript would refuse, so it is asked again. */
export type Shape = Kind | Optional | List | Switch | Section;

/** `section` is one whose keys are checked by somebody else. */
type Kind = 'text' | 'number' | 'flag' | 'section';

interface Optional {
  readonly optional: Kind | List | Section;
}

interface List {
  readonly list: Kind | Section;
}

/** False, or a section. `rule` ends the sentence `path must be …`. */
interface Switch {
  readonly whenOn: Section;
  readonly rule: string;
}

/** Keys of `not` are refused, and the text says why. */
interface Section {
  readonly keys: Readonly<Record<string, Shape>>;
  readonly not?: Readonly<Record<string, string>>;
  readonly others?: true;
}

/** The keys of a section, each of them; the compiler sees one that is forgotten, or that there is not. */
export function section<T>(keys: Record<KeyOf<T>, Shape>, more: Omit<Section, 'keys'> = {}): Section {
  return { keys, ...more };
}

/** Of all members of a union. */
type KeyOf<T> = T extends unknown ? Extract<keyof T, string> : never;

export interface Misfit {
  readonly path: string;
  readonly rule: string;
  readonly got: unknown;
}

export interface FitOptions {
  /** Hears of what is not as it should be. @default nobody */
  readonly tell?: (misfit: Misfit, isLeaf: boolean) => void;
  /** What stands in place of a text, a number or a flag, right or wrong. @default what is there */
  readonly leaf?: (value: unknown, isRight: boolean, path: string, shape: Kind | Optional) => unknown;
}

/**
 * The value with the sections and lists that the shape has, so that each of them can be asked for: what is there where it
 * fits, and empty ones where it does not.
 */
export function fit(value: unknown, shape: Shape, path: string, options: FitOptions): unknown {
  if (typeof shape === 'string') return fitKind(value, shape, path, shape, options);
  if ('optional' in shape) {
    if (value === undefined) return undefined;
    if (typeof shape.optional === 'string') return fitKind(value, shape.optional, path, shape, options);
    return fit(value, shape.optional, path, options);
  }
  if ('list' in shape) return fitList(value, shape, path, options);
  if ('whenOn' in shape) {
    if (value === false) return false;
    if (isSection(value)) return fitSection(value, shape.whenOn, path, options);
    return misfit(value, shape.rule, path, false, options);
  }
  return fitSection(value, shape, path, options);
}

function fitKind(value: unknown, kind: Kind, path: string, shape: Kind | Optional, options: FitOptions): unknown {
  const isRight = KINDS[kind].is(value);
  if (kind === 'section') return isRight ? value : misfit(value, KINDS.section.rule, path, {}, options);
  if (!isRight) options.tell?.({ path, rule: KINDS[kind].rule, got: value }, true);
  return options.leaf === undefined ? value : options.leaf(value, isRight, path, shape);
}

function fitList(value: unknown, { list }: List, path: string, options: FitOptions): unknown {
  if (!Array.isArray(value)) return misfit(value, 'a list', path, [], options);
  return Array.from(value, (item: unknown, index) => fit(item, list, `${path}[${index}]`, options));
}

function fitSection(value: unknown, shape: Section, path: string, options: FitOptions): unknown {
  const { keys, not = {}, others } = shape;
  if (!isSection(value)) {
    const names = Object.keys(keys);
    misfit(value, names.length === 0 ? 'a section' : `a section with ${names.join(', ')}`, path, undefined, options);
    return fitSection({}, shape, path, { ...options, tell: () => undefined });
  }
  const known = Object.keys(keys);
  for (const key of Object.keys(value).filter((name) => !known.includes(name))) {
    const why = not[key];
    if (why !== undefined)
      options.tell?.({ path: at(path, key), rule: `left out: ${why}`, got: kindOf(value[key]) }, false);
    else if (others !== true) options.tell?.({ path: at(path, key), rule: unknownKey(key, known), got: key }, false);
  }
  const rest = others === true ? Object.entries(value).filter(([key]) => !known.includes(key)) : [];
  return Object.fromEntries([
    ...known.map((key) => [key, fit(value[key], keys[key] ?? 'section', at(path, key), options)] as const),
    ...rest,
  ]);
}

function misfit(value: unknown, rule: string, path: string, instead: unknown, { tell }: FitOptions): unknown {
  tell?.({ path, rule, got: kindOf(value) }, false);
  return instead;
}

const KINDS: Record<Kind, { readonly rule: string; readonly is: (value: unknown) => boolean }> = {
  text: { rule: 'a text', is: (value) => typeof value === 'string' },
  number: { rule: 'a number', is: (value) => typeof value === 'number' && !Number.isNaN(value) },
  flag: { rule: 'true or false', is: (value) => typeof value === 'boolean' },
  section: { rule: 'a section', is: isSection },
};

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Not what is in it, which nobody expects there. */
function kindOf(value: unknown): unknown {
  if (Array.isArray(value)) return 'a list';
  return isSection(value) ? 'a section' : value;
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  return `a known key (${meant === undefined ? known.join(', ') : `did you mean ${meant}?`})`;
}

function at(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
