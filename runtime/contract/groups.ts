/** The group of all containers of the pod: by it `render` writes what HAProxy reads, and both and the weighter use its sockets. */
export const SHARED_GROUP = 2000;
