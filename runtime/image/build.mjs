// Bundles the programs of the runtime: one file each, and its source map. `npm run build` puts them into dist/;
// runtime/Dockerfile runs the same. Plain JavaScript: esbuild is all it needs.
import { existsSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const runtime = join(root, 'runtime');
/** Folders of runtime/ with a main.ts; their names are the names of the files. */
const programs = readdirSync(runtime).filter((name) => existsSync(join(runtime, name, 'main.ts')));
/** Not in the bundles, whether it happens to be installed or not: `debug` has colours where it finds it, and none else. */
const OPTIONAL = ['supports-color'];
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
  // The map names files and lines, for stack traces; the text itself would make it three times as long.
  sourcesContent: false,
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
