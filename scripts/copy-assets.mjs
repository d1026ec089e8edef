// Copies what the compiler does not: JSON and proto files that modules read beside themselves.
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

const wanted = /\.(json|proto|html|css|svg|yaml)$/;
for (const entry of readdirSync('src', { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !wanted.test(entry.name)) continue;
  const from = join(entry.parentPath, entry.name);
  const to = join('dist', from);
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}
