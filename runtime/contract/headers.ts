/** On HAProxy's own 503: the request did not leave it. Taken from what providers answer, so it is never theirs. */
export const NOT_SENT_HEADER = 'x-not-sent';
