// The rules of the house that no linter knows: which room may import which, and where time and chance may live.
// Exits 1 and names file and line for every breach. Tests are exempt.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

const below = {
  base: [],
  store: ['base'],
  api: ['base'],
  pki: ['base'],
  kinds: ['api', 'base'],
  apiserver: ['kinds', 'api', 'store', 'pki', 'base'],
  client: ['kinds', 'api', 'pki', 'base'],
  controller: ['client', 'kinds', 'api', 'base'],
  runtime: ['api', 'base'],
  network: ['api', 'base'],
  'network/proxy': ['controller', 'client', 'kinds', 'api', 'base'],
  'network/policy': ['controller', 'client', 'kinds', 'api', 'base'],
  'network/ingress': ['network/proxy', 'controller', 'client', 'kinds', 'api', 'base'],
  'network/dns': ['controller', 'client', 'kinds', 'api', 'base'],
  controllers: ['controller', 'client', 'kinds', 'api', 'pki', 'base'],
  scheduler: ['controller', 'client', 'kinds', 'api', 'base'],
  trace: ['controller', 'client', 'kinds', 'api', 'base'],
  doctor: ['controller', 'client', 'kinds', 'api', 'base'],
  // The kubelet drives the interfaces of runtime and network, never a driver of theirs.
  kubelet: ['controller', 'client', 'kinds', 'api', 'pki', 'base', 'runtime', 'network'],
  cluster: '*',
  cli: ['client', 'doctor', 'trace', 'cluster', 'kinds', 'api', 'pki', 'base'],
};
const rooms = Object.keys(below).sort((a, b) => b.length - a.length);
const roomOf = (file) => rooms.find((room) => file.startsWith(`src/${room}/`));

export function breaches(file, text) {
  const found = [];
  const room = roomOf(file);
  if (!room || file.endsWith('.test.ts')) return found;
  text.split('\n').forEach((line, index) => {
    const at = `${file}:${index + 1}`;
    const target = /(?:from|import\()\s*'(\.[^']+)'/.exec(line)?.[1];
    if (target) {
      const path = normalize(join(dirname(file), target));
      const other = roomOf(path);
      const allowed = below[room];
      const may = !other
        ? !path.startsWith('src/') && path.startsWith('src') === false && room === 'cluster'
        : other === room || other.startsWith(`${room}/`) || room.startsWith(`${other}/`) || allowed === '*'
          ? other !== 'cli'
          : allowed.includes(other) || (room === 'cli' && other === 'cli');
      const driver = room === 'kubelet' && /^src\/(runtime|network)\/[^/]+\//.test(path);
      if ((!may && other !== room) || driver) found.push(`${at}: ${room} may not import ${relative('src', path)}`);
    }
    if (
      room !== 'base' &&
      /\bDate\.now\(|\bMath\.random\(|(?<![.\w])setTimeout\(|(?<![.\w])setInterval\(|new Date\(\)|(?<![.\w])performance\.now\(/.test(
        line,
      )
    ) {
      found.push(`${at}: time and chance come from base/clock.ts and base/random.ts`);
    }
  });
  return found;
}

const all = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((file) => !file.startsWith('src/api/generated/'))
  .flatMap((file) => breaches(file, readFileSync(file, 'utf8')));
for (const line of all) console.error(line);
if (all.length > 0) process.exitCode = 1;
