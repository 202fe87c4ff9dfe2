/**
 * HAProxy's official image, multi-architecture, by digest: tags move. Renew it with every release of the 3.2 line
 * (https://www.haproxy.org/bugs/bugs-3.2.html tells what each repairs):
 *
 *     docker buildx imagetools inspect haproxy:3.2      # the digest of the index, not of one platform
 *
 * This one was read in a public repository and not yet at the registry: ask that before the first deployment.
 */
export const HAPROXY_IMAGE =
  'docker.io/library/haproxy:3.2@sha256:e2b397cdbd612221cf79dec325690139d00a78b4ce4eae065530fbc81e1f6192';

/** The user and group of HAProxy's image; its USER is a name, which Kubernetes cannot tell from root. */
export const HAPROXY_USER = 99;

/** The user and group of our own image, as runtime/Dockerfile sets them. */
export const IMAGE_USER = 10001;

/** Where our image holds each program. */
export const IMAGE_PROGRAMS = {
  proxy: '/app/proxy.js',
  weighter: '/app/weighter.js',
  render: '/app/render.js',
} as const;
