import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize, relative } from 'node:path';
import ts from 'typescript';

/**
 * Who may import whom, as docs/architecture.md tells. `own` are our modules, `packages` are npm's; Node's own modules
 * are free for all but the pure ones.
 */
const LAYERS: Record<string, { own: readonly string[]; packages: readonly string[]; pure?: true }> = {
  'runtime/contract': { own: [], packages: [], pure: true },
  'runtime/util': { own: [], packages: [] },
  'runtime/telemetry': { own: ['contract'], packages: ['prom-client', 'pino'] },
  'runtime/rpc': { own: ['util'], packages: ['@noble/hashes'] },
  'runtime/config': { own: ['contract', 'util', 'rpc'], packages: ['zod', 'yaml', 'ipaddr.js'] },
  'runtime/haproxy': { own: ['contract', 'util', 'config'], packages: [] },
  'runtime/redis': { own: ['util', 'config'], packages: ['ioredis'] },
  'runtime/nodes': { own: ['util', 'rpc', 'config'], packages: [] },
  'runtime/chain': { own: ['util', 'rpc', 'config'], packages: [] },
  'runtime/limits': { own: ['util', 'rpc', 'config', 'redis'], packages: ['ipaddr.js'] },
  'runtime/cache': { own: ['util', 'rpc', 'config', 'redis'], packages: ['lru-cache'] },
  'runtime/routing': { own: ['util', 'rpc', 'config', 'nodes'], packages: [] },
  'runtime/upstream': { own: ['contract', 'util', 'rpc', 'config', 'nodes'], packages: ['undici', 'ws'] },
  'runtime/filters': { own: ['util', 'rpc', 'config', 'chain', 'redis'], packages: ['lru-cache'] },
  'runtime/front': {
    own: ['contract', 'util', 'rpc', 'config'],
    packages: ['fastify', '@fastify/cors', '@fastify/compress', 'ipaddr.js'],
  },
  'runtime/admin': { own: ['contract', 'util', 'rpc', 'config'], packages: ['fastify'] },
  'runtime/weighter': {
    own: ['contract', 'util', 'config', 'haproxy', 'routing', 'telemetry'],
    packages: ['ethers'],
  },
  'runtime/render': { own: ['contract', 'util', 'config', 'haproxy', 'telemetry'], packages: [] },
  'runtime/proxy': {
    own: [
      'package.json',
      'contract',
      'util',
      'telemetry',
      'rpc',
      'config',
      'nodes',
      'chain',
      'cache',
      'filters',
      'limits',
      'redis',
      'routing',
      'upstream',
      'front',
      'admin',
    ],
    packages: ['yaml'],
  },
  // Read at synthesis, so none of the programs is loaded for it.
  constructs: { own: ['contract', 'config', 'haproxy'], packages: ['cdk8s', 'cdk8s-plus-27', 'constructs'] },
  lib: {
    own: ['constructs', 'contract', 'config'],
    packages: ['aws-cdk-lib', '@aws-cdk/lambda-layer-kubectl-v36', 'constructs', 'cdk8s'],
  },
  'bin/app.ts': { own: ['lib'], packages: ['aws-cdk-lib'] },
  'bin/ci.ts': { own: ['lib'], packages: ['aws-cdk-lib'] },
  'bin/deployment.ts': { own: ['lib'], packages: [] },
};

const root = join(__dirname, '..');
const files = ['runtime', 'constructs', 'lib'].flatMap(filesIn).concat('bin/app.ts', 'bin/ci.ts', 'bin/deployment.ts');

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file}`);
}

/** `runtime/` has a layer per folder; elsewhere a folder is one. */
function layerOf(file: string): string {
  if (file in LAYERS) return file;
  return file
    .split('/')
    .slice(0, file.startsWith('runtime/') ? 2 : 1)
    .join('/');
}

interface Import {
  readonly file: string;
  readonly layer: string;
  readonly target: string;
}

function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest);
  const layer = layerOf(file);
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const specifier =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && ['import', 'require'].includes(node.expression.getText(source))
          ? node.arguments[0]
          : undefined;
    if (specifier && ts.isStringLiteral(specifier)) found.push({ file, layer, target: specifier.text });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function breaks({ file, layer, target }: Import): boolean {
  const rule = LAYERS[layer];
  if (rule === undefined) return true;
  if (target.startsWith('.')) {
    const path = relative(root, normalize(join(root, dirname(file), target)));
    const other = layerOf(path);
    return other !== layer && !rule.own.includes(other.replace('runtime/', ''));
  }
  if (target.startsWith('node:')) return rule.pure === true || !builtinModules.includes(target.slice(5));
  return !rule.packages.some((name) => target === name || target.startsWith(`${name}/`));
}

describe('the layers', () => {
  const all = files.flatMap(importsOf);

  it('are all in the table', () => {
    expect(files.length).toBeGreaterThan(30);
    expect(new Set(files.map(layerOf))).toEqual(new Set(Object.keys(LAYERS)));
  });

  it('import only what they may', () => {
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(breaks).map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  it.each([
    ['runtime/limits/x.ts', '../routing/router'],
    ['runtime/rpc/x.ts', 'undici'],
    ['runtime/contract/x.ts', 'node:fs'],
    ['runtime/front/x.ts', '../../bin/local'],
    ['runtime/proxy/x.ts', '../../constructs/rpc-chart'],
    ['constructs/x.ts', '../runtime/proxy/app'],
    ['constructs/x.ts', 'aws-cdk-lib'],
    ['runtime/config/x.ts', '../../lib/settings'],
    ['lib/x.ts', '../runtime/proxy/app'],
    ['lib/addons/x.ts', 'cdk-nag'],
    ['bin/app.ts', './local'],
  ])('would be broken by %s importing %s', (file, target) => {
    expect(breaks({ file, layer: layerOf(file), target })).toBe(true);
  });
});
