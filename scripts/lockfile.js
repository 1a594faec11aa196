// Completes package-lock.json after `npm install`, so that `npm ci` works on every machine and with every npm:
//
// - npm leaves out optional packages of other platforms when the registry it installs from does not have them,
//   and `npm ci` then refuses its own lock file. They are added with the version that their parent asks for.
// - npm takes a package with a binding.gyp for one to be compiled, unless `gypfile: false` stands in the lock file
//   too; better-sqlite3 says so in its own package.json only, and ships its binaries ready-made.
//
// `--check` writes nothing and exits 1 when something is missing.
import { readFileSync, writeFileSync } from 'node:fs';

const PATH = new URL('../package-lock.json', import.meta.url);
const PREBUILT = ['node_modules/better-sqlite3'];
const SYSTEMS = [
  'darwin',
  'linux',
  'win32',
  'android',
  'freebsd',
  'openbsd',
  'netbsd',
  'sunos',
  'aix',
  'openharmony',
];
const PROCESSORS = [
  'arm64',
  'x64',
  'arm',
  'ia32',
  'ppc64',
  's390x',
  'riscv64',
  'loong64',
  'mips64el',
  'wasm32',
];

const text = readFileSync(PATH, 'utf8');
const lock = JSON.parse(text);

/** What a platform package says of itself in its name: `x-linux-arm64-musl`, `x-win32-x64-msvc`. */
function platformOf(name) {
  const parts = name.split(/[-/]/);
  const entry = {};
  const cpu = PROCESSORS.find((part) => parts.includes(part));
  if (cpu !== undefined) entry.cpu = [cpu];
  if (parts.includes('musl')) entry.libc = ['musl'];
  else if (parts.includes('gnu')) entry.libc = ['glibc'];
  const os = SYSTEMS.find((part) => parts.includes(part));
  if (os !== undefined) entry.os = [os];
  return entry;
}

for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const nested = `${path}/node_modules/${name}`;
    const top = `node_modules/${name}`;
    if (path === '' || lock.packages[nested] !== undefined || lock.packages[top] !== undefined) continue;
    const version = range.replace(/^[\^~]/, '');
    if (!/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) continue;
    lock.packages[top] = {
      version,
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      ...platformOf(name),
    };
  }
}
for (const path of PREBUILT) lock.packages[path].gypfile = false;

lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
const complete = `${JSON.stringify(lock, null, 2)}\n`;
if (complete !== text) {
  if (process.argv.includes('--check')) {
    console.error('package-lock.json is incomplete: run `node scripts/lockfile.js`');
    process.exitCode = 1;
  } else {
    writeFileSync(PATH, complete);
  }
}
