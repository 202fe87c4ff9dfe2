import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Who calls us, for limits, hashing and logs. */
export interface ClientKey {
  /** Canonical text (RFC 5952 for IPv6), without zone; `unknown` when the peer has no address. */
  readonly address: string;
  /** What is hashed: the 4 bytes of an IPv4 address, the first 8 (the /64) of an IPv6 one, none when unknown. */
  readonly bytes: Uint8Array;
  /** One per client: the IPv4 address, or the /64 one subscriber gets (`2001:db8:1:2::/64`). */
  readonly key: string;
  /** The connection comes from a trusted proxy. */
  readonly trustedPeer: boolean;
}

export type ClientKeyOf = (peer: string, xForwardedFor: string | readonly string[] | undefined) => ClientKey;

/** More proxies than this in a row is a forged or looping chain; the walk ends there. */
const MAX_HOPS = 32;
/** The longest entry with a meaning: a bracketed IPv6 address with zone and port. */
const MAX_ENTRY_CHARS = 80;
const CACHED_ADDRESSES = 2048;

const UNKNOWN: ClientKey = { address: 'unknown', bytes: new Uint8Array(0), key: 'unknown', trustedPeer: false };

/**
 * Tells clients apart. The peer's address counts; only when it lies in `trustedCidrs`, X-Forwarded-For is walked from
 * right to left to the first entry that does not, because everything left of that one was written by the caller.
 *
 * Where the walk cannot go on (an entry that is no address, more than 32 hops, nothing left) the last good hop is the
 * client: only trusted proxies wrote what was read so far, so the caller wins nothing by it. Empty entries are skipped
 * (RFC 9110, 5.6.1.2). `ip:port`, `[ipv6]`, `[ipv6]:port` and zone ids are understood; IPv4-mapped IPv6 is IPv4.
 *
 * @param trustedCidrs networks (or single addresses) of our own proxies
 * @throws RangeError naming the entry that is no network
 */
export function createClientKey(trustedCidrs: readonly string[]): ClientKeyOf {
  const hopOf = createHops(trustedCidrs);
  return (peer, xForwardedFor) => {
    const direct = hopOf(peer);
    if (direct === undefined) return UNKNOWN;
    if (!direct.trusted || xForwardedFor === undefined) return direct.asPeer;
    return typeof xForwardedFor === 'string'
      ? walk([xForwardedFor], direct, hopOf)
      : walk(xForwardedFor, direct, hopOf);
  };
}

interface Hop {
  readonly trusted: boolean;
  readonly asPeer: ClientKey;
  /** The same client, named by a trusted proxy. */
  readonly forwarded: ClientKey;
}

type HopOf = (entry: string) => Hop | undefined;

/** Several header lines are one list in their order (RFC 9110, 5.3); so the last line is read first. */
function walk(lines: readonly string[], peer: Hop, hopOf: HopOf): ClientKey {
  let client = peer;
  let hops = 0;
  for (let i = lines.length - 1; i >= 0; i--) {
    const line = lines[i] ?? '';
    let end = line.length;
    while (end >= 0) {
      if (++hops > MAX_HOPS) return client.forwarded;
      const comma = end === 0 ? -1 : line.lastIndexOf(',', end - 1);
      const entry = line.slice(comma + 1, end).trim();
      end = comma;
      if (entry === '') continue;
      const hop = hopOf(entry);
      if (hop === undefined) return client.forwarded;
      client = hop;
      if (!hop.trusted) return hop.forwarded;
    }
  }
  return client.forwarded;
}

/** Reads an entry once and remembers it: the same few peers and clients come again and again. */
function createHops(trustedCidrs: readonly string[]): HopOf {
  const networks = trustedCidrs.map(parseNetwork);
  let recent = new Map<string, Hop>();
  let older = new Map<string, Hop>();
  return (entry) => {
    const known = recent.get(entry);
    if (known !== undefined) return known;
    const hop = older.get(entry) ?? readHop(entry, networks);
    if (hop === undefined) return undefined;
    // Two generations are a bounded LRU whose hits cost one look-up and move nothing.
    if (recent.size >= CACHED_ADDRESSES / 2) {
      older = recent;
      recent = new Map();
    }
    // A copy: a piece of a header would keep the whole header alive.
    recent.set(Buffer.from(entry, 'latin1').toString('latin1'), hop);
    return hop;
  };
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

function readHop(entry: string, networks: readonly Network[]): Hop | undefined {
  const address = parseAddress(entry);
  if (address === undefined) return undefined;
  const trusted = networks.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits));
  const asPeer = toClientKey(address, trusted);
  return { trusted, asPeer, forwarded: { ...asPeer, trustedPeer: true } };
}

function toClientKey(address: Address, trustedPeer: boolean): ClientKey {
  const bytes = address.toByteArray();
  if (address instanceof ipaddr.IPv4) {
    const text = address.toString();
    return { address: text, bytes: Uint8Array.from(bytes), key: text, trustedPeer };
  }
  const network = new ipaddr.IPv6([...bytes.slice(0, 8), 0, 0, 0, 0, 0, 0, 0, 0]);
  return {
    address: address.toRFC5952String(),
    bytes: Uint8Array.from(bytes.slice(0, 8)),
    key: `${network.toRFC5952String()}/64`,
    trustedPeer,
  };
}

const BRACKETED = /^\[([^\]]*)\](?::\d{1,5})?$/;
const IPV4_WITH_PORT = /^([\d.]+):\d{1,5}$/;

function parseAddress(entry: string): Address | undefined {
  if (entry.length > MAX_ENTRY_CHARS) return undefined;
  const text = BRACKETED.exec(entry)?.[1] ?? IPV4_WITH_PORT.exec(entry)?.[1] ?? entry;
  // Node's check first: ipaddr.js also takes octal, hexadecimal and shortened forms, where parsers disagree.
  if (isIP(text) === 0) return undefined;
  return ipaddr.process(withoutZone(text));
}

/** A zone names an interface of the machine that wrote it and says nothing of who the client is. */
function withoutZone(text: string): string {
  const percent = text.indexOf('%');
  return percent === -1 ? text : text.slice(0, percent);
}

const MAPPED_PREFIX_BITS = 96;

function parseNetwork(cidr: string): Network {
  const slash = cidr.indexOf('/');
  const text = slash === -1 ? cidr : cidr.slice(0, slash);
  const family = isIP(text);
  const widest = family === 4 ? 32 : 128;
  const bits = slash === -1 ? String(widest) : cidr.slice(slash + 1);
  if (family === 0 || text.includes('%') || !/^\d{1,3}$/.test(bits) || Number(bits) > widest) {
    throw new RangeError(`trustedProxies must hold networks such as 10.0.0.0/8, got ${JSON.stringify(cidr)}`);
  }
  const address = ipaddr.parse(text);
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && Number(bits) >= MAPPED_PREFIX_BITS) {
    return [address.toIPv4Address(), Number(bits) - MAPPED_PREFIX_BITS];
  }
  return [address, Number(bits)];
}
