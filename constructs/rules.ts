import { SizeRoundingBehavior } from 'cdk8s';
import type { Rule } from './problems';
import { isToken } from './tokens';

/** Forms of texts that several props have. */
export const FORMS = {
  dnsLabel: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  imageByDigest: /^[a-z0-9][\w.:/-]*@sha256:[0-9a-f]{64}$/,
  /** Of AWS Secrets Manager: a name or an ARN. */
  secret: /^([\w/+=.@-]{1,512}|arn:aws[a-z-]*:secretsmanager:[^\s,]+)$/,
  /** As Kubernetes writes amounts of CPU, more than nothing: the autoscaler's percentage is of it. */
  cpu: /^([1-9]\d*m|(?!0+(\.0+)?$)\d+(\.\d{1,3})?)$/,
} as const;

export const CPU_RULE = 'an amount of CPU such as 200m or 1.5';

/** For checks of amounts that may be no whole ones: unasked, cdk8s throws. */
export const UNROUNDED = { rounding: SizeRoundingBehavior.NONE } as const;

/** A token passes: what it stands for is not known yet. */
export function text(path: string, got: string, form: RegExp, rule: string): Rule {
  return { path, rule, got, holds: isToken(got) || form.test(got) };
}

/** As `text`, for what may be left out. */
export function textOrNone(path: string, got: string | undefined, form: RegExp, rule: string): Rule[] {
  return got === undefined ? [] : [text(path, got, form, rule)];
}

export function whole(path: string, got: number, min: number, max: number): Rule {
  const holds = Number.isInteger(got) && got >= min && got <= max;
  return { path, rule: `a whole number from ${min} to ${max}`, got, holds };
}
