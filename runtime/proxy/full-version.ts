/** Told to the process by its image: what of the source it was built of. */
const REVISION = 'RPC_REVISION';

/** `0.1.0`, or `0.1.0+3f2a91c` where the build told its revision: two builds of one version are told apart by it. */
export function fullVersion(version: string, env: NodeJS.ProcessEnv): string {
  const revision = env[REVISION] ?? '';
  // It is shown to everybody, and asked for by the deployment.
  return /^[0-9a-zA-Z-]{1,40}$/.test(revision) ? `${version}+${revision}` : version;
}
