/** Why the system refused, such as ENOENT; its messages are not shown, since they may hold what was asked for. */
export function errorCode(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown';
}
