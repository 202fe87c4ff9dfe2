import type { Config } from './schema';

/**
 * What the next configuration must not do while this one runs. HAProxy and the proxy change at different moments, so a
 * port that is given to another node would for a while lead to the wrong one.
 *
 * @returns one sentence each
 */
export function checkReload(running: Config, next: Config): string[] {
  const owners = new Map(localPorts(running).map(({ port, chain, node }) => [port, `${chain}/${node}`]));
  return localPorts(next).flatMap(({ port, path, chain, node }) => {
    const owner = owners.get(port);
    if (owner === undefined || owner === `${chain}/${node}`) return [];
    return [
      `${path} must be a port that was no other node's (${chain}/${node} is given that of ${owner}), got ${port}`,
    ];
  });
}

function localPorts({ chains }: Config) {
  return Object.entries(chains).flatMap(([chain, { nodes }]) =>
    nodes.flatMap(({ name: node, localPort }, index) =>
      localPort === undefined
        ? []
        : [{ port: localPort, chain, node, path: `chains.${chain}.nodes[${index}].localPort` }],
    ),
  );
}
