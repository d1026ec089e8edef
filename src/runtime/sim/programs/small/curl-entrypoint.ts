import { searchPath } from '../../kernel/exec.ts';
import type { Process } from '../../kernel/process.ts';
import { runApplet } from '../applet.ts';
import { execCommand } from '../system/identity.ts';

/** The curl image's entrypoint: words that are no command are curl's. */
export function curlEntrypoint(p: Process): Promise<number> {
  const [first = '', ...rest] = p.argv.slice(1);
  const command =
    first.startsWith('-') || searchPath(p, first) === undefined || first.includes('://')
      ? ['curl', first, ...rest]
      : [first, ...rest];
  return runApplet((a) => execCommand(a, command), p, '/entrypoint.sh', command, 'busybox');
}
