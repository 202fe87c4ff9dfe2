import * as form from './forms';
import { section, text, whole } from './keys';
import { MINUTE_MS } from './units';

/** Each use of it has a deadline of its own, next to what it is used for: `limits`, `cache`, `filters`. */
export const redis = section(
  'Where processes keep what they share: rate limits, answers, filters and the head. Without it each keeps its own, and so each does while it does not answer.',
  {
    url: text(
      form.redisUrl,
      'Its address, `rediss://` for TLS; `/1` at the end is a database. Redis 6.2 or newer, or Valkey; no cluster.',
      { secret: true },
    ),
    username: text(form.anyText, 'The user to authenticate as.', { whenUnset: 'the default user' }).optional(),
    password: text(form.anyText, 'The password.', { secret: true, whenUnset: 'none' }).optional(),
    caFile: text(form.absolutePath, 'File of certificate authorities (PEM) its certificate is verified against.', {
      whenUnset: "the system's",
    }).optional(),
    keyPrefix: text(form.keyPrefix, 'All our keys begin with it; another one keeps others apart.').default(
      'rpc-balancer:',
    ),
    connectTimeoutMs: whole(1, MINUTE_MS, 'Milliseconds for a connection, TLS and authentication included.').default(
      1000,
    ),
  },
);
