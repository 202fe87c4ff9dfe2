// Bundles the programs of the runtime: one file each, and its source map. `npm run build` puts them into dist/;
// runtime/Dockerfile runs the same. Plain JavaScript: esbuild is all it needs.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const runtime = join(root, 'runtime');
/** Folders of runtime/ with a main.ts; their names are the names of the files. */
const programs = readdirSync(runtime).filter((name) => existsSync(join(runtime, name, 'main.ts')));
/** Not in the bundles, whether it happens to be installed or not: `debug` has colours where it finds it, and none else. */
const OPTIONAL = ['supports-color'];
const PACKAGE_FILE = /node_modules\/.*\.[cm]?js$/;
const out = join(root, process.argv[2] ?? 'dist');

const { metafile } = await build({
  entryPoints: programs.map((name) => ({ in: join(runtime, name, 'main.ts'), out: name })),
  outdir: out,
  bundle: true,
  external: OPTIONAL,
  platform: 'node',
  // Not what happens to lie around: tsconfig.json is not there when the image is built.
  tsconfigRaw: { compilerOptions: { strict: true, target: 'es2023' } },
  // The oldest that runs them; see "engines".
  target: 'node20',
  sourcemap: true,
  sourcesContent: false,
  plugins: [{ name: 'coarse maps of packages', setup: ({ onLoad }) => onLoad({ filter: PACKAGE_FILE }, loadPackage) }],
  metafile: true,
  logLevel: 'warning',
  define: {
    // Native helpers `ws` can do without, and would look for beside the bundle.
    'process.env.WS_NO_BUFFER_UTIL': '"1"',
    'process.env.WS_NO_UTF_8_VALIDATE': '"1"',
  },
});

const missing = Object.values(metafile.outputs)
  .flatMap(({ imports }) =>
    imports.filter(({ external, path }) => external && !isBuiltIn(path) && !OPTIONAL.includes(path)),
  )
  .map(({ path }) => path);
if (missing.length > 0) {
  console.error(`These would be missing in the image: ${[...new Set(missing)].join(', ')}`);
  process.exit(1);
}

function isBuiltIn(path) {
  return path.startsWith('node:') || builtinModules.includes(path);
}

/**
 * Stack traces name our lines, but of packages only the file: Node.js keeps the whole map in memory from the first stack
 * trace on, which were 90 MB and stopped the proxy for 170 ms.
 */
function loadPackage({ path }) {
  const map = JSON.stringify({ version: 3, sources: [basename(path)], names: [], mappings: 'AAAA' });
  const url = `data:application/json,${encodeURIComponent(map)}`;
  return { contents: `${readFileSync(path, 'utf8')}\n//# sourceMappingURL=${url}`, loader: 'js' };
}
