import { SysError } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { readText } from '../../net/read-text.ts';
import { listen } from '../../net/sockets.ts';
import { entityTag, mediaType, readServed } from '../http/files.ts';
import { type HttpResponse, serveHttp } from '../http/server.ts';
import { httpDate, reasons } from '../http/wire.ts';
import { formatTime } from '../system/time.ts';

const page = (status: number, text: string): HttpResponse => ({
  status,
  headers: [['Content-Type', 'text/html; charset=iso-8859-1']],
  body: `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>${status} ${reasons[status]}</title>\n</head><body>\n<h1>${reasons[status]}</h1>\n<p>${text}</p>\n</body></html>\n`,
});

/** httpd of the Apache image: static files, its log lines, graceful end on WINCH. */
export async function apache(p: Process): Promise<number> {
  const version = p.env.get('HTTPD_VERSION') ?? '2.4.63';
  if (p.argv.includes('-v')) {
    await p.print(`Server version: Apache/${version} (Unix)\n`);
    return 0;
  }
  const ip = p.workload.net.ips[0] ?? '127.0.0.1';
  const warning = `AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using ${ip}. Set the 'ServerName' directive globally to suppress this message\n`;
  await p.complain(warning);
  if (p.argv.includes('-t')) {
    await p.complain('Syntax OK\n');
    return 0;
  }
  const conf = (await readText(p, '/usr/local/apache2/conf/httpd.conf')) ?? '';
  const port = Number(/^\s*Listen\s+(?:\S+:)?(\d+)/m.exec(conf)?.[1] ?? 80);
  const root = /^\s*DocumentRoot\s+"?([^"\n]+)"?/m.exec(conf)?.[1] ?? '/usr/local/apache2/htdocs';
  let listener: ReturnType<typeof listen>;
  try {
    listener = listen(p, port);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await p.complain(
      `(98)Address already in use: AH00072: make_sock: could not bind to address 0.0.0.0:${port}\nno listening sockets available, shutting down\nAH00015: Unable to open logs\n`,
    );
    return 1;
  }
  const note = (code: string, text: string): Promise<void> => {
    const now = p.workload.clock.now();
    return p.complain(
      `[${formatTime('%a %b %d %H:%M:%S', now)}.${String(Math.floor((now % 1000) * 1000)).padStart(6, '0')} ${formatTime('%Y', now)}] [mpm_event:notice] [pid ${p.pid}:tid ${p.pid}] ${code}: ${text}\n`,
    );
  };
  await p.complain(warning);
  await note('AH00489', `Apache/${version} (Unix) configured -- resuming normal operations`);
  await note('AH00094', "Command line: 'httpd -D FOREGROUND'");
  for (const [signal, text] of [
    ['TERM', 'caught SIGTERM, shutting down'],
    ['WINCH', 'caught SIGWINCH, shutting down gracefully'],
    ['INT', 'caught SIGTERM, shutting down'],
  ] as const)
    p.handle(signal, () => void note(signal === 'WINCH' ? 'AH00492' : 'AH00491', text).then(() => p.exit(0)));
  return serveHttp(
    p,
    listener,
    async ({ path, method }) => {
      if (method !== 'GET' && method !== 'HEAD')
        return page(405, `The requested method ${method} is not allowed for this URL.`);
      let served = await readServed(p, root, path);
      if (served.kind === 'directory') served = await readServed(p, root, `${path.replace(/\/$/, '')}/index.html`);
      if (served.kind === 'denied') return page(403, "You don't have permission to access this resource.");
      if (served.kind !== 'file') return page(404, 'The requested URL was not found on this server.');
      return {
        status: 200,
        headers: [
          ['Last-Modified', httpDate(served.inode.mtime)],
          ['ETag', entityTag(served.inode)],
          ['Accept-Ranges', 'bytes'],
          ['Content-Type', mediaType(served.path)],
        ],
        body: served.data,
      };
    },
    {
      before: [['Server', `Apache/${version} (Unix)`]],
      log: (request, status, bytes) =>
        p.print(
          `${request.remote.ip} - - [${formatTime('%d/%b/%Y:%H:%M:%S %z', p.workload.clock.now())}] "${request.method} ${request.target} ${request.version}" ${status} ${bytes}\n`,
        ),
    },
  );
}
