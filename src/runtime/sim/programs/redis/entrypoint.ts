import { SysError } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { changeOwner } from '../../vfs/operations.ts';
import { runApplet } from '../applet.ts';
import { dropRoot, ownBy } from '../small/drop-root.ts';
import { execCommand } from '../system/identity.ts';

/** docker-entrypoint.sh of the redis images: options alone are for redis-server, which does not run as root. */
export function redisEntrypoint(p: Process): Promise<number> {
  const words = p.argv.slice(1);
  const command = words[0]?.startsWith('-') || words[0]?.endsWith('.conf') ? ['redis-server', ...words] : words;
  if (command[0] === 'redis-server' || command[0] === 'valkey-server') {
    try {
      ownBy(p, '.', 'redis', (path, uid, gid) => changeOwner(p.view, path, uid, gid));
    } catch (error) {
      // A read-only volume keeps its owner; the server says what it cannot write.
      if (!(error instanceof SysError)) throw error;
    }
    dropRoot(p, 'redis');
  }
  return runApplet((a) => execCommand(a, command), p, 'docker-entrypoint.sh', command, 'gnu');
}
