import type { Served } from './summary';

const ANSWER_MS = 5000;

/**
 * Asks every URL for its chain id. Those that answer must agree; those that do not may come up later.
 *
 * @throws Error that names each upstream by its place and host, never by its URL: it may hold a key.
 */
export async function learnChain(urls: readonly string[]): Promise<Served> {
  const answers = await Promise.all(urls.map(askChainId));
  const nodes = answers.map((answer, index) => {
    const url = urls[index] ?? '';
    const told = typeof answer === 'number' ? `chain id ${answer}` : answer;
    return { name: `upstream-${index + 1}`, url, description: `${new URL(url).host}, ${told}` };
  });
  const described = nodes.map(({ name, description }) => `  ${name}  ${description}`).join('\n');
  const ids = new Set(answers.filter((answer) => typeof answer === 'number'));
  const [chainId] = ids;
  if (ids.size > 1) throw new Error(`The upstreams given with --upstream are of different chains:\n${described}`);
  if (chainId === undefined) throw new Error(`No upstream given with --upstream told its chain id:\n${described}`);
  return {
    chainId,
    nodes,
    more: ['Each node is probed one to four times a second; docs/operating.md tells the cost.'],
  };
}

async function askChainId(url: string): Promise<number | string> {
  try {
    const { credentials, target } = splitCredentials(url);
    const response = await fetch(target, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...credentials },
      body: '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}',
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!response.ok) return `answered HTTP ${response.status}`;
    const { result } = (await response.json()) as { result?: unknown };
    const id = typeof result === 'string' ? Number(result) : Number.NaN;
    return Number.isSafeInteger(id) && id > 0 ? id : 'answered no chain id';
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') return `gave no answer within ${ANSWER_MS} ms`;
    const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
    return `could not be asked (${cause?.code ?? 'no JSON-RPC answer'})`;
  }
}

/** fetch refuses userinfo in a URL; nodes take it as an Authorization header. */
function splitCredentials(text: string): { credentials: Record<string, string>; target: URL } {
  const target = new URL(text);
  if (target.username === '' && target.password === '') return { credentials: {}, target };
  const pair = `${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}`;
  target.username = '';
  target.password = '';
  return { credentials: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }, target };
}
