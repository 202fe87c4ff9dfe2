/** What a person sees who opens the endpoint in a browser. */
export function homePage(
  chains: readonly { readonly name: string; readonly chainId: number; readonly path: string }[],
  /** Of the program; a deployment waits until the one it brought is seen here. */
  version: string,
): string {
  const rows = chains
    .map(({ name, chainId, path }) => `<li><code>${path}</code> ${name}, chain id ${chainId}</li>`)
    .join('\n      ');
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <meta name="version" content="${version}">
    <title>eth-rpc-balancer</title>
    <style>
      body { font: 16px/1.6 system-ui, sans-serif; max-width: 42rem; margin: 4rem auto; padding: 0 1rem; color: #1c2430; background: #fff }
      code, pre { font-family: ui-monospace, monospace; font-size: .9em; background: #f1f3f6; border-radius: 4px; padding: .1em .35em }
      pre { padding: .8em 1em; overflow-x: auto }
      @media (prefers-color-scheme: dark) { body { color: #dce3ec; background: #12161c } code, pre { background: #1e252e } }
    </style>
  </head>
  <body>
    <h1>eth-rpc-balancer</h1>
    <p>This is an Ethereum JSON-RPC endpoint with several nodes behind it. It takes <code>POST</code> requests:</p>
    <pre>curl -s -d '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}' URL</pre>
    <p>Chains served here:</p>
    <ul>
      ${rows}
    </ul>
  </body>
</html>
`;
}
