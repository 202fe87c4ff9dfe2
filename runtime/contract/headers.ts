/**
 * On HAProxy's own 503: the request did not leave it, and why, where it is not plainly that nobody listens. Both are
 * taken from what providers answer, so they are never theirs.
 */
export const NOT_SENT_HEADER = 'x-not-sent';
export const NOT_SENT_REASON_HEADER = 'x-not-sent-reason';
