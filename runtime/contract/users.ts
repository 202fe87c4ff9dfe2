/** Numbers, since the kubelet cannot tell from a name whether it is root's. */
export const USERS = {
  /** Of our programs. */
  node: 1000,
  /** Of HAProxy's image, which calls it `haproxy`. */
  haproxy: 99,
  /** The group they share: by it `render` writes what HAProxy reads, and both and the weighter use its sockets. */
  shared: 2000,
} as const;
