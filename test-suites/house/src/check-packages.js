// Packs every published package as npm would, and has publint and are-the-types-wrong look at the tarballs.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const packs = join(root, 'node_modules/.cache/packs');
rmSync(packs, { recursive: true, force: true });
mkdirSync(packs, { recursive: true });

const published = ['packages', 'test-suites']
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(root, folder, name)))
  .filter((folder) => !JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).private);

/** @param {string} tool @param {string[]} args */
function run(tool, args) {
  const bin = join(root, 'node_modules/.bin', tool);
  execFileSync(process.execPath, [bin, ...args], { cwd: root, stdio: 'inherit' });
}

for (const folder of published) {
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', packs], { cwd: folder, encoding: 'utf8' });
  const [{ filename, files }] = JSON.parse(output);
  const paths = files.map((/** @type {{ path: string }} */ file) => file.path);
  for (const wanted of ['README.md', 'dist/index.js', 'dist/index.d.ts', 'src/index.ts']) {
    if (!paths.includes(wanted)) throw new Error(`${filename} does not have ${wanted}`);
  }
  const tarball = join(packs, filename);
  run('publint', ['run', tarball, '--strict']);
  run('attw', [tarball, '--profile', 'esm-only', '--quiet']);
}
