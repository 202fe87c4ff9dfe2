import type { LogMatch } from '../chain/log-walk';
import { type Log } from '../rpc/log';
import { parseQuantity } from '../rpc/block-param';
import { foldName } from '../rpc/fold-name';

/** What a log filter is asked for. */
export interface LogCriteria extends LogMatch {
  /** Blocks below do not count; undefined where all new ones do. */
  readonly from?: number;
  /** Blocks above do not count. */
  readonly to?: number;
}

/** Bounds of geth's `eth/filters`, so that what works there works here. */
const MAX_ADDRESSES = 1000;
const MAX_TOPICS = 4;
const MAX_CHOICES = 1000;

export type ParsedCriteria =
  | { readonly kind: 'criteria'; readonly criteria: LogCriteria }
  /** Names the path, the rule and the value. */
  | { readonly kind: 'wrong'; readonly problem: string };

/** Reads the params of eth_newFilter: one object, as of eth_getLogs, but about blocks that are yet to come. */
export function parseCriteria(params: Buffer): ParsedCriteria {
  try {
    return { kind: 'criteria', criteria: toCriteria(JSON.parse(params.toString('utf8'))) };
  } catch (error) {
    if (error instanceof WrongCriteria) return { kind: 'wrong', problem: error.message };
    throw error;
  }
}

/**
 * Whether a log is one of those that are meant, but for its block. A place that is left open fits whatever is there, or
 * is not: nodes differ on that.
 */
export function fits({ address, topics }: Log, match: LogMatch): boolean {
  if (match.address !== undefined && !isAmong(address, match.address)) return false;
  const told: readonly unknown[] = Array.isArray(topics) ? topics : [];
  return (match.topics ?? []).every((wanted, i) => wanted === null || wanted.length === 0 || isAmong(told[i], wanted));
}

function isAmong(value: unknown, wanted: string | readonly string[]): boolean {
  const choices = typeof wanted === 'string' ? [wanted] : wanted;
  if (typeof value !== 'string') return false;
  return choices.length === 0 || choices.some((choice) => choice.toLowerCase() === value.toLowerCase());
}

class WrongCriteria extends Error {
  constructor(path: string, rule: string, value: unknown) {
    super(`${path} must be ${rule}, got ${shown(value)}`);
  }
}

type Members = Readonly<Record<string, unknown>>;

function toCriteria(params: unknown): LogCriteria {
  const filter: unknown = Array.isArray(params) ? params[0] : params;
  if (!Array.isArray(params) || params.length !== 1) throw new WrongCriteria('params', 'a list of one object', params);
  if (!isObject(filter)) throw new WrongCriteria('params[0]', 'an object', filter);
  for (const name of Object.keys(filter)) {
    const meant = NAMES.find((known) => known !== name && foldName(known) === foldName(name));
    if (meant !== undefined) throw new WrongCriteria('params[0]', `an object with ${meant} spelled so`, name);
  }
  if (isGiven(filter['blockHash'])) {
    throw new WrongCriteria('params[0].blockHash', 'left out, as that block is there already', filter['blockHash']);
  }
  const address = toAddresses(filter['address']);
  const topics = toTopics(filter['topics']);
  const from = toBound('fromBlock', filter);
  const to = toBound('toBlock', filter);
  if (from !== undefined && to !== undefined && from > to) {
    throw new WrongCriteria('params[0].toBlock', `at least fromBlock, ${from}`, to);
  }
  return {
    ...(address !== undefined && { address }),
    ...(topics !== undefined && { topics }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
}

const NAMES = ['fromBlock', 'toBlock', 'blockHash', 'address', 'topics'];

/** Bounds by number restrict which new blocks count; `latest` is what a filter is about anyway. */
function toBound(name: 'fromBlock' | 'toBlock', filter: Members): number | undefined {
  const value = filter[name];
  if (!isGiven(value) || value === 'latest') return undefined;
  const number = value === 'earliest' ? 0 : typeof value === 'string' ? parseQuantity(value) : undefined;
  if (number === undefined)
    throw new WrongCriteria(`params[0].${name}`, 'a block number, "earliest" or "latest"', value);
  return number;
}

function toAddresses(value: unknown): LogCriteria['address'] {
  const path = 'params[0].address';
  if (!isGiven(value)) return undefined;
  if (!Array.isArray(value)) return ofForm(value, path, ADDRESS);
  atMost(MAX_ADDRESSES, value, path, 'addresses');
  return value.map((item, i) => ofForm(item, `${path}[${i}]`, ADDRESS));
}

function toTopics(value: unknown): LogCriteria['topics'] {
  const path = 'params[0].topics';
  if (!isGiven(value)) return undefined;
  if (!Array.isArray(value)) throw new WrongCriteria(path, 'a list', value);
  atMost(MAX_TOPICS, value, path, 'topics');
  return value.map((item: unknown, i) => toTopic(item, `${path}[${i}]`));
}

function toTopic(value: unknown, path: string): string | null | string[] {
  if (!isGiven(value)) return null;
  if (!Array.isArray(value)) return ofForm(value, path, TOPIC);
  atMost(MAX_CHOICES, value, path, 'choices');
  // One choice that is open leaves the whole open, as in geth.
  if (value.some((choice) => !isGiven(choice))) return null;
  return value.map((choice, i) => ofForm(choice, `${path}[${i}]`, TOPIC));
}

interface Form {
  readonly pattern: RegExp;
  readonly rule: string;
}

const ADDRESS: Form = { pattern: /^0x[0-9a-fA-F]{40}$/, rule: 'an address of 20 bytes' };
const TOPIC: Form = { pattern: /^0x[0-9a-fA-F]{64}$/, rule: 'a topic of 32 bytes' };

function ofForm(value: unknown, path: string, { pattern, rule }: Form): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new WrongCriteria(path, rule, value);
  return value;
}

function atMost(most: number, list: readonly unknown[], path: string, what: string): void {
  if (list.length > most) throw new WrongCriteria(path, `a list of at most ${most} ${what}`, list.length);
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A caller's value for a message: bounded, without control characters. */
function shown(value: unknown): string {
  const text = JSON.stringify(value).replace(/[^\x20-\x7e]/g, '?');
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
