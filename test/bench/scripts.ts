import type { Bed } from './processes';

/** The text of a request. */
export function call(id: number, method: string, params: unknown = []): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

/** A script for wrk that always sends the same. @returns its path */
export function constantScript(bed: Bed, name: string, body: string): string {
  const lua = `wrk.method = "POST"\nwrk.body = [==[${body}]==]\nwrk.headers["content-type"] = "application/json"\n`;
  return bed.file(`${name.replaceAll(' ', '-')}.lua`, lua);
}

/** A script for wrk that asks so many different calls in turn. @returns its path */
export function callsScript(bed: Bed, calls: number): string {
  return bed.file(
    'calls.lua',
    `
local n = 0
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
request = function()
  n = (n + 1) % ${calls}
  local to = string.format("0x%040x", n)
  return wrk.format(nil, nil, nil, '{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"' .. to .. '"},"latest"]}')
end
`,
  );
}
