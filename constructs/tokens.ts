/**
 * A value that AWS gives only when it is deployed: the CDK's stand-in for it. What a token stands for cannot be checked
 * here.
 */
const TOKEN = /\$\{Token\[[^\]]*\]\}/;

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** The text with something in place of each token that can be part of a host name or a path. */
export function withoutTokens(text: string): string {
  return text.replace(new RegExp(TOKEN, 'g'), 'known-when-deployed.invalid');
}
