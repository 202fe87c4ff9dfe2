import * as form from './forms';
import { list, section, text } from './keys';

export const methodPattern = text(form.methodPattern, 'A method name, or the start of one and `*`.');

export const methods = section('Which methods clients may call.', {
  allow: list(
    'method patterns',
    methodPattern,
    'Allowed although denied by default; names, or prefixes such as `debug_*`. Exact in upper and lower case.',
  ).default([]),
  deny: list(
    'method patterns',
    methodPattern,
    'Denied; wins over `allow`. Upper and lower case count as the same.',
  ).default([]),
});
