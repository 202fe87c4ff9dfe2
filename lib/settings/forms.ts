/** Shapes that values of the settings have. They take anything, since settings may come from outside of TypeScript. */
export const isAccount = matching(/^\d{12}$/);
export const isRegion = matching(/^[a-z]{2}(-[a-z]+)+-\d$/);
export const isNumericId = matching(/^[1-9]\d*$/);
export const isRoleArn = matching(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/);
export const isLabel = matching(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/);
export const isHostName = matching(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/);
export const isMail = matching(/^[^\s@]+@[^\s@]+\.[^\s@]+$/);
export const isSecretName = matching(/^[A-Z][A-Z0-9_]*$/);
export const isHostedZoneId = matching(/^Z[A-Z0-9]{5,31}$/);
export const isGithubName = matching(/^[\w.-]+$/);
export const isImageDigest = matching(/^[\w.:/-]+@sha256:[0-9a-f]{64}$/);
export const isCacheNodeType = matching(/^cache\.[a-z0-9]+\.[a-z0-9]+$/);

export function matching(form: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === 'string' && form.test(value);
}

/** A whole number of a range, both ends in it. */
export function whole(min: number, max = Number.MAX_SAFE_INTEGER): (value: unknown) => boolean {
  return (value) => typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

/** A network in CIDR notation with its host bits zero. */
export function isCidr(value: unknown, minPrefix = 0, maxPrefix = 32): boolean {
  const parts = typeof value === 'string' ? /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(value) : null;
  if (parts === null) return false;
  const [a = 256, b = 256, c = 256, d = 256, prefix = 33] = parts.slice(1).map(Number);
  if ([a, b, c, d].some((byte) => byte > 255) || prefix < minPrefix || prefix > maxPrefix) return false;
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  return address % 2 ** (32 - prefix) === 0;
}

export function isUniqueList(value: unknown, min: number, max = Infinity): boolean {
  return Array.isArray(value) && value.length >= min && value.length <= max && new Set(value).size === value.length;
}
