import { SysError } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { listen } from '../../net/sockets.ts';
import { find } from '../../vfs/mount-space.ts';
import { listPath } from '../../vfs/operations.ts';
import { mediaType, readServed } from '../http/files.ts';
import { type HttpResponse, serveHttp } from '../http/server.ts';
import { formatTime } from '../system/time.ts';

/** Why an arbitrary program does not run, and what to do instead. */
const refusal = (language: string): string =>
  `the simulated ${language} image cannot run arbitrary programs; script the container with annotations sim.coracle.dev/… (docs/simulated-images.md), or use a node with containerd\n`;

/** python: -m http.server works, -c 'print("…")' too; any other program is refused. */
export async function python(p: Process): Promise<number> {
  const args = p.argv.slice(1).filter((word) => word !== '-u' && word !== '-B');
  const version = p.env.get('PYTHON_VERSION') ?? '3.13.0';
  if (args[0] === '--version' || args[0] === '-V') {
    await p.print(`Python ${version}\n`);
    return 0;
  }
  if (args[0] === '-m' && args[1] === 'http.server') return httpServer(p, args.slice(2), version);
  const printed = args[0] === '-c' ? /^\s*print\((["'])((?:(?!\1)[^\\\n])*)\1\)\s*;?\s*$/.exec(args[1] ?? '') : null;
  if (printed) {
    await p.print(`${printed[2]}\n`);
    return 0;
  }
  if (args.length > 0 && args[0] !== '-c' && args[0] !== '-m') {
    try {
      find(p.view, args[0] ?? '');
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await p.complain(
        `python3: can't open file '${args[0]?.startsWith('/') ? args[0] : `${p.cwd.replace(/\/$/, '')}/${args[0]}`}': [Errno 2] No such file or directory\n`,
      );
      return 2;
    }
  }
  // Without a terminal, `python3` alone reads an empty program and ends.
  if (args.length === 0 && p.fds[0]?.kind !== 'tty' && (await p.readAll(0)).toString().trim() === '') return 0;
  await p.complain(refusal('python'));
  return 1;
}

async function httpServer(p: Process, args: readonly string[], version: string): Promise<number> {
  const value = (short: string, long: string): string | undefined => {
    const at = args.findIndex((word) => word === short || word === long);
    return at < 0 ? undefined : args[at + 1];
  };
  const port = Number(args.find((word) => /^\d+$/.test(word)) ?? 8000);
  const root = value('-d', '--directory') ?? p.cwd;
  let listener: ReturnType<typeof listen>;
  try {
    listener = listen(p, port, value('-b', '--bind') ?? '0.0.0.0');
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await p.complain('OSError: [Errno 98] Address already in use\n');
    return 1;
  }
  // Standard output is a pipe here: Python would show this line only at its end, without -u.
  if (p.argv.includes('-u') || p.env.has('PYTHONUNBUFFERED'))
    await p.print(`Serving HTTP on 0.0.0.0 port ${port} (http://0.0.0.0:${port}/) ...\n`);
  return serveHttp(
    p,
    listener,
    async ({ path }): Promise<HttpResponse> => {
      let served = await readServed(p, root, path);
      if (served.kind === 'directory') {
        const index = await readServed(p, root, `${path}/index.html`);
        if (index.kind === 'file') served = index;
        else {
          const rows = listPath(p.view, served.path).map(
            (name) => `<li><a href="${encodeURI(name)}">${name}</a></li>\n`,
          );
          return {
            status: 200,
            headers: [['Content-type', 'text/html; charset=utf-8']],
            body: `<!DOCTYPE HTML>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Directory listing for ${path}</title>\n</head>\n<body>\n<h1>Directory listing for ${path}</h1>\n<hr>\n<ul>\n${rows.join('')}</ul>\n<hr>\n</body>\n</html>\n`,
          };
        }
      }
      if (served.kind !== 'file')
        return {
          status: 404,
          reason: 'File not found',
          headers: [['Content-Type', 'text/html;charset=utf-8']],
          body: '<!DOCTYPE HTML>\n<html lang="en">\n    <head>\n        <meta charset="utf-8">\n        <title>Error response</title>\n    </head>\n    <body>\n        <h1>Error response</h1>\n        <p>Error code: 404</p>\n        <p>Message: File not found.</p>\n    </body>\n</html>\n',
        };
      return { status: 200, headers: [['Content-type', mediaType(served.path)]], body: served.data };
    },
    {
      before: [['Server', `SimpleHTTP/0.6 Python/${version}`]],
      keepAlive: false,
      log: (request, status) =>
        p.complain(
          `${request.remote.ip} - - [${formatTime('%d/%b/%Y %H:%M:%S', p.workload.clock.now())}] "${request.method} ${request.target} ${request.version}" ${status} -\n`,
        ),
    },
  );
}

/** node: --version; programs are refused. */
export async function node(p: Process): Promise<number> {
  if (p.argv[1] === '--version' || p.argv[1] === '-v') {
    await p.print(`v${p.env.get('NODE_VERSION') ?? '22.0.0'}\n`);
    return 0;
  }
  const logged =
    p.argv[1] === '-e' ? /^\s*console\.log\((["'`])((?:(?!\1)[^\\\n$])*)\1\);?\s*$/.exec(p.argv[2] ?? '') : null;
  if (logged) {
    await p.print(`${logged[2]}\n`);
    return 0;
  }
  if (p.argv.length === 1 && p.fds[0]?.kind !== 'tty' && (await p.readAll(0)).toString().trim() === '') return 0;
  await p.complain(refusal('node'));
  return 1;
}

/** java: -version; programs are refused. */
export async function java(p: Process): Promise<number> {
  if (p.argv[1] === '-version' || p.argv[1] === '--version') {
    await p.complain('openjdk version "21.0.7" 2025-04-15\n');
    return 0;
  }
  const jar = p.argv.indexOf('-jar');
  if (jar > 0) {
    try {
      find(p.view, p.argv[jar + 1] ?? '');
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await p.complain(`Error: Unable to access jarfile ${p.argv[jar + 1]}\n`);
      return 1;
    }
  }
  await p.complain(refusal('java'));
  return 1;
}
