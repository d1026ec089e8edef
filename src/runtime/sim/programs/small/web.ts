import type { Process } from '../../kernel/process.ts';
import { goFlags, goLog, goServe, goText } from '../go.ts';
import type { HttpRequest, HttpResponse } from '../http/server.ts';
import { header } from '../http/wire.ts';

const addresses = (p: Process): readonly string[] => ['127.0.0.1', '::1', ...p.workload.net.ips];
const fieldLines = (request: HttpRequest, skip: readonly string[] = []): string =>
  [...request.headers]
    .filter(([name]) => !skip.includes(name.toLowerCase()))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');

/** traefik/whoami: tells about the container and the request. */
export async function whoami(p: Process): Promise<number> {
  const flags = goFlags(p.argv.slice(1), {
    port: p.env.get('WHOAMI_PORT_NUMBER') ?? '80',
    name: p.env.get('WHOAMI_NAME') ?? '',
    verbose: false,
    cert: '',
    key: '',
    cacert: '',
  });
  if ('problem' in flags) {
    await p.complain(`${flags.problem}\n`);
    return 2;
  }
  const port = flags.number('port');
  await goLog(p, `Starting up on port ${port}`);
  let health = 200;
  return goServe(p, port, (request) => {
    if (request.path === '/health') {
      if (request.method !== 'POST') return goText('', health);
      health = Number(request.body.toString()) || 200;
      return goText('');
    }
    const name = flags.text('name');
    if (request.path === '/api')
      return {
        status: 200,
        headers: [['Content-Type', 'application/json']],
        body: `${JSON.stringify({ hostname: p.workload.hostname, ip: addresses(p), headers: Object.fromEntries(request.headers.map(([key, value]) => [key, [value]])), url: request.target, host: header(request.headers, 'host') ?? '', method: request.method, ...(name === '' ? {} : { name }), remoteAddr: `${request.remote.ip}:${request.remote.port}` })}\n`,
      };
    return goText(
      `${name === '' ? '' : `Name: ${name}\n`}Hostname: ${p.workload.hostname}\n${addresses(p)
        .map((ip) => `IP: ${ip}\n`)
        .join(
          '',
        )}RemoteAddr: ${request.remote.ip}:${request.remote.port}\n${request.method} ${request.target} HTTP/1.1\nHost: ${header(request.headers, 'host') ?? ''}\n${fieldLines(request, ['host', 'connection'])}\n`,
    );
  });
}

/** hashicorp/http-echo -listen=:5678 -text=… */
export async function httpEcho(p: Process): Promise<number> {
  const flags = goFlags(p.argv.slice(1), {
    listen: ':5678',
    text: p.env.get('ECHO_TEXT') ?? '',
    'status-code': 200,
    version: false,
  });
  if ('problem' in flags) {
    await p.complain(`${flags.problem}\nUsage of http-echo:\n  -listen string\n  -status-code int\n  -text string\n`);
    return 2;
  }
  if (flags.has('version')) {
    await p.complain('http-echo v1.0.0\n');
    return 0;
  }
  if (flags.text('text') === '') {
    await p.complain('Missing -text option!\n');
    return 127;
  }
  const port = Number(flags.text('listen').split(':').pop());
  p.handle('INT', () => void p.exit(0));
  p.handle('TERM', () => void goLog(p, '[INFO] received interrupt, shutting down...').then(() => p.exit(0)));
  await goLog(p, `[INFO] server is listening on :${port}`);
  return goServe(
    p,
    port,
    (request) =>
      request.path === '/health'
        ? { status: 200, headers: [['Content-Type', 'application/json']], body: '{"status":"ok"}' }
        : {
            status: flags.number('status-code'),
            headers: [
              ['X-App-Name', 'http-echo'],
              ['X-App-Version', '1.0.0'],
              ['Content-Type', 'text/plain; charset=utf-8'],
            ],
            body: `${flags.text('text')}\n`,
          },
    {
      log: (request, status, bytes) =>
        p.print(
          `${new Date(p.workload.clock.now()).toISOString().replace('T', ' ').slice(0, 19).replaceAll('-', '/')} ${header(request.headers, 'host') ?? ''} ${request.remote.ip}:${request.remote.port} "${request.method} ${request.target} HTTP/1.1" ${status} ${bytes} "${header(request.headers, 'user-agent') ?? ''}" 20.000µs\n`,
        ),
    },
  );
}

/** gcr.io/google-samples/hello-app. */
export async function helloApp(p: Process): Promise<number> {
  const port = Number(p.env.get('PORT') || 8080);
  const version = p.env.get('HELLO_VERSION') ?? '1.0.0';
  await goLog(p, `Server listening on port ${port}`);
  return goServe(p, port, async ({ path }) => {
    await goLog(p, `Serving request: ${path}`);
    return goText(`Hello, world!\nVersion: ${version}\nHostname: ${p.workload.hostname}\n`);
  });
}

/** gcr.io/google-samples/kubernetes-bootcamp. */
export async function bootcamp(p: Process): Promise<number> {
  const version = p.env.get('BOOTCAMP_VERSION') ?? '1';
  const { clock, hostname } = p.workload;
  const started = clock.now();
  let requests = 0;
  await p.print(
    `Kubernetes Bootcamp App Started At: ${new Date(started).toISOString()} | Running On:  ${hostname} \n\n`,
  );
  return goServe(p, 8080, async () => {
    requests++;
    await p.print(
      `Running On: ${hostname} | Total Requests: ${requests} | App Uptime: ${(clock.now() - started) / 1000} seconds | Log Time: ${new Date(clock.now()).toISOString()}\n`,
    );
    return {
      status: 200,
      headers: [['Content-Type', 'text/plain']],
      body: `Hello Kubernetes bootcamp! | Running on: ${hostname} | v=${version}\n`,
    };
  });
}

/** echoserver and jmalloc/echo-server: the request sent back. */
export async function echoServer(p: Process): Promise<number> {
  const port = Number(p.env.get('PORT') || 8080);
  const jmalloc = p.workload.image.includes('echo-server');
  await p.print(jmalloc ? `Echo server listening on port ${port}.\n` : 'Generating self-signed cert\nStarting nginx\n');
  return goServe(p, port, async (request): Promise<HttpResponse> => {
    if (jmalloc) {
      await p.print(`${request.remote.ip}:${request.remote.port} | ${request.method} ${request.target}\n`);
      return goText(
        `Request served by ${p.workload.hostname}\n\n${request.method} ${request.target} HTTP/1.1\n\nHost: ${header(request.headers, 'host') ?? ''}\n${fieldLines(request, ['host'])}${request.body.length > 0 ? `\n${request.body.toString()}` : ''}`,
      );
    }
    const fields = [...request.headers]
      .map(([name, value]) => `\t${name.toLowerCase()}=${value}`)
      .sort()
      .join('\n');
    return goText(
      `\n\nHostname: ${p.workload.hostname}\n\nPod Information:\n\t-no pod information available-\n\nServer values:\n\tserver_version=nginx/1.14.2 - lua/10015\n\nRequest Information:\n\tclient_address=${request.remote.ip}\n\tmethod=${request.method}\n\treal path=${request.target}\n\tquery=${request.query.toString()}\n\trequest_version=1.1\n\trequest_scheme=http\n\trequest_uri=http://${header(request.headers, 'host') ?? ''}:${port}${request.target}\n\nRequest Headers:\n${fields}\n\nRequest Body:\n${request.body.length > 0 ? request.body.toString() : '\t-no body in request-'}\n\n`,
    );
  });
}

/** paulbouwer/hello-kubernetes. */
export async function helloKubernetes(p: Process): Promise<number> {
  const port = Number(p.env.get('CONTAINER_PORT') ?? p.env.get('PORT') ?? 8080);
  const message = p.env.get('MESSAGE') || 'Hello world!';
  await p.print(
    `{"level":30,"time":${p.workload.clock.now()},"pid":${p.pid},"hostname":"${p.workload.hostname}","msg":"Listening on: http://${p.workload.hostname}:${port}"}\n`,
  );
  return goServe(p, port, () => ({
    status: 200,
    headers: [['Content-Type', 'text/html; charset=utf-8']],
    body: `<!DOCTYPE html>\n<html>\n<head><title>Hello Kubernetes!</title></head>\n<body>\n<div id="message">${message.replace(/[<>&]/g, (char) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;' })[char] ?? char)}</div>\n<table>\n<tr><th>namespace:</th><td>${p.env.get('KUBERNETES_NAMESPACE') ?? '-'}</td></tr>\n<tr><th>pod:</th><td>${p.env.get('KUBERNETES_POD_NAME') ?? p.workload.hostname}</td></tr>\n<tr><th>node:</th><td>${p.env.get('KUBERNETES_NODE_NAME') ?? '-'}</td></tr>\n</table>\n</body>\n</html>\n`,
  }));
}

/** hello-world: what everybody has seen once. */
export async function helloWorld(p: Process): Promise<number> {
  await p.print(
    '\nHello from Docker!\nThis message shows that your installation appears to be working correctly.\n\nFor more examples and ideas, visit:\n https://docs.docker.com/get-started/\n\n',
  );
  return 0;
}
