import { isSysError, strerror } from '../../errno.ts';
import { fork } from '../../kernel/exec.ts';
import type { Process } from '../../kernel/process.ts';
import { listen } from '../../net/sockets.ts';
import { type Applet, Failure } from '../applet.ts';
import { mediaType, readServed } from '../http/files.ts';
import { type HttpResponse, serveHttp } from '../http/server.ts';
import { httpDate } from '../http/wire.ts';

/** httpd [-f] [-v] [-p [IP:]PORT] [-h HOME]: busybox's static file server. */
export async function httpd(a: Applet): Promise<number> {
  const options = a.options('ifvp:u:r:c:h:d:e:m:');
  const home = options.value('h') ?? '.';
  const [ip, port] = addressOf(options.value('p') ?? '80');
  const root = home.startsWith('/') ? home : `${a.p.cwd}/${home}`.replace(/\/\.$/, '');
  let listener: ReturnType<typeof listen>;
  try {
    listener = listen(a.p, port, ip);
  } catch (error) {
    if (!isSysError(error)) throw error;
    throw new Failure(`bind: ${strerror(error)}`);
  }
  const serve = (p: Process): Promise<never> =>
    serveHttp(p, listener, (request) => answer(p, root, request.path), {
      keepAlive: false,
      ...(options.has('v')
        ? {
            log: (request, status) =>
              p.complain(`[::ffff:${request.remote.ip}]:${request.remote.port}: response:${status}\n`),
          }
        : {}),
    });
  if (options.has('f')) return serve(a.p);
  fork(a.p, (child) => serve(child));
  return 0;
}

function addressOf(text: string): readonly [string, number] {
  const colon = text.lastIndexOf(':');
  return [colon < 0 ? '0.0.0.0' : text.slice(0, colon).replace(/^\[|\]$/g, ''), Number(text.slice(colon + 1))];
}

const page = (status: number, title: string, text: string): HttpResponse => ({
  status,
  headers: [['Content-Type', 'text/html']],
  body: `<HTML><HEAD><TITLE>${status} ${title}</TITLE></HEAD>\n<BODY><H1>${status} ${title}</H1>\n${text}\n</BODY></HTML>\n`,
});

async function answer(p: Process, root: string, path: string): Promise<HttpResponse> {
  let served = await readServed(p, root, path);
  if (served.kind === 'directory') {
    if (!path.endsWith('/')) return { status: 302, headers: [['Location', `${path}/`]] };
    served = await readServed(p, root, `${path}index.html`);
  }
  if (served.kind !== 'file') return page(404, 'Not Found', 'The requested URL was not found');
  return {
    status: 200,
    headers: [
      ['Content-type', mediaType(served.path)],
      ['Last-Modified', httpDate(served.inode.mtime)],
    ],
    body: served.data,
  };
}
