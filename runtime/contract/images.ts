/**
 * HAProxy's official image (3.2, long-term supported), by digest: what was tested is what runs. To renew it, take the
 * digest that the registry gives for the tag, and run the tests of HAProxy with that version.
 */
export const HAPROXY_IMAGE = 'haproxy:3.2@sha256:e2b397cdbd612221cf79dec325690139d00a78b4ce4eae065530fbc81e1f6192';
