import type { ImageFiles } from '../vfs/image-tree.ts';
import { alpineFiles, bookworm, debianFiles } from './base-files.ts';
import { type ImageSettings, imageFamily, official, once } from './define.ts';
import type { SimImage } from './sim-image.ts';

const welcome =
  '<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n<h1>Welcome to nginx!</h1>\n<p>If you see this page, the nginx web server is successfully installed and\nworking. Further configuration is required.</p>\n<p><em>Thank you for using nginx.</em></p>\n</body>\n</html>\n';

const main = (pid: string, user: string): string =>
  `\n${user}worker_processes  auto;\n\nerror_log  /var/log/nginx/error.log notice;\npid        ${pid};\n\n\nevents {\n    worker_connections  1024;\n}\n\n\nhttp {\n    include       /etc/nginx/mime.types;\n    default_type  application/octet-stream;\n\n    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '\n                      '$status $body_bytes_sent "$http_referer" '\n                      '"$http_user_agent" "$http_x_forwarded_for"';\n\n    access_log  /var/log/nginx/access.log  main;\n\n    sendfile        on;\n    keepalive_timeout  65;\n\n    include /etc/nginx/conf.d/*.conf;\n}\n`;

const site = (port: number): string =>
  `server {\n    listen       ${port};\n    server_name  localhost;\n\n    location / {\n        root   /usr/share/nginx/html;\n        index  index.html index.htm;\n    }\n\n    error_page   500 502 503 504  /50x.html;\n    location = /50x.html {\n        root   /usr/share/nginx/html;\n    }\n}\n`;

const script = { text: '# built in\n', mode: 0o755 };

/** What an nginx image adds to its base; `unprivileged` is that of nginxinc/nginx-unprivileged. */
const nginxFiles = (base: ImageFiles, unprivileged: boolean): ImageFiles => {
  const owner = unprivileged ? { uid: 101, gid: 101 } : {};
  return {
    ...base,
    '/usr/sbin/nginx': { program: 'nginx', memoryKiB: 5600 },
    '/usr/bin/curl': { program: 'curl', memoryKiB: 9000 },
    '/docker-entrypoint.sh': { program: 'nginx-entrypoint', memoryKiB: 900 },
    '/docker-entrypoint.d/10-listen-on-ipv6-by-default.sh': script,
    '/docker-entrypoint.d/15-local-resolvers.envsh': script,
    '/docker-entrypoint.d/20-envsubst-on-templates.sh': script,
    '/docker-entrypoint.d/30-tune-worker-processes.sh': script,
    '/etc/nginx/nginx.conf': unprivileged ? main('/tmp/nginx.pid', '') : main('/run/nginx.pid', 'user  nginx;\n'),
    '/etc/nginx/mime.types':
      'types {\n    text/html html htm shtml;\n    text/css css;\n    application/javascript js;\n    application/json json;\n}\n',
    '/etc/nginx/conf.d': { directory: true, ...owner },
    '/etc/nginx/conf.d/default.conf': { text: site(unprivileged ? 8080 : 80), ...owner },
    '/usr/share/nginx/html/index.html': welcome,
    '/usr/share/nginx/html/50x.html':
      '<!DOCTYPE html>\n<html>\n<head>\n<title>Error</title>\n</head>\n<body>\n<h1>An error occurred.</h1>\n</body>\n</html>\n',
    '/var/log/nginx/access.log': { link: '/dev/stdout' },
    '/var/log/nginx/error.log': { link: '/dev/stderr' },
    ...(unprivileged ? {} : { '/var/cache/nginx': { directory: true } }),
    '/var/run': { link: '/run' },
    '/run': { directory: true },
    '/etc/passwd': `${String(base['/etc/passwd'])}nginx:x:101:101:nginx user:/nonexistent:/bin/false\n`,
    '/etc/group': `${String(base['/etc/group'])}nginx:x:101:\n`,
  };
};

const debian = once(() => nginxFiles(debianFiles(bookworm), false));
const alpine = once(() => nginxFiles(alpineFiles('3.20.3'), false));
const free = once(() => nginxFiles(debianFiles(bookworm), true));
const freeAlpine = once(() => nginxFiles(alpineFiles('3.20.3'), true));

const settings = (version: string, files: () => ImageFiles, port: number, user?: string): ImageSettings => ({
  files,
  entrypoint: ['/docker-entrypoint.sh'],
  cmd: ['nginx', '-g', 'daemon off;'],
  env: {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    NGINX_VERSION: version.replace(/-.*/, ''),
    NJS_VERSION: '0.8.9',
  },
  exposedPorts: [`${port}/tcp`],
  stopSignal: 'SIGQUIT',
  ...(user === undefined ? {} : { user }),
  sizeBytes: 72_200_000,
});

const versions: readonly (readonly [string, string])[] = [
  ['1.29.0', 'mainline 1 1.29 latest'],
  ['1.28.0', 'stable 1.28'],
  ['1.27.5', '1.27 1.27.4 1.27.3 1.27.2 1.27.1 1.27.0'],
  ['1.26.3', '1.26 1.26.2 1.26.1 1.26.0'],
  ['1.25.5', '1.25 1.25.4 1.25.3 1.25.2 1.25.1 1.25.0'],
  ['1.24.0', '1.24'],
  ['1.23.4', '1.23 1.23.3 1.23.2 1.23.1 1.23.0'],
  ['1.22.1', '1.22'],
  ['1.21.6', '1.21 1.21.1 1.21.0'],
  ['1.20.2', '1.20 1.20.1 1.20.0'],
  ['1.19.10', '1.19 1.19.1 1.19.2 1.19.6'],
  ['1.18.0', '1.18'],
  ['1.17.10', '1.17'],
  ['1.16.1', '1.16 1.16.0'],
  ['1.15.12', '1.15'],
  ['1.14.2', '1.14'],
  ['1.9.1', '1.9'],
  ['1.7.9', '1.7'],
];

const groups = (suffix: string): readonly string[] =>
  versions.map(([version, more]) =>
    [version, ...more.split(' ')]
      .map((tag) => (tag === 'latest' && suffix !== '' ? suffix.slice(1) : `${tag}${suffix}`))
      .join(' '),
  );

/** nginx and nginx-unprivileged. */
export const nginxImages = (): readonly SimImage[] => [
  ...imageFamily(official('nginx'), groups(''), (version) => settings(version, debian, 80)),
  ...imageFamily(official('nginx'), groups('-alpine'), (version) => settings(version, alpine, 80)),
  ...imageFamily(
    [
      'docker.io/nginxinc/nginx-unprivileged',
      'quay.io/nginx/nginx-unprivileged',
      'ghcr.io/nginxinc/nginx-unprivileged',
    ],
    groups(''),
    (version) => settings(version, free, 8080, '101'),
  ),
  ...imageFamily(['docker.io/nginxinc/nginx-unprivileged'], groups('-alpine'), (version) =>
    settings(version, freeAlpine, 8080, '101'),
  ),
  ...imageFamily(
    ['registry.k8s.io/e2e-test-images/nginx', 'k8s.gcr.io/e2e-test-images/nginx'],
    ['1.14-4', '1.14-2', '1.14-1', '1.15-4', '1.15-2', '1.15-1'],
    (version) => settings(version, debian, 80),
  ),
  ...imageFamily(
    ['k8s.gcr.io/nginx', 'registry.k8s.io/nginx', 'gcr.io/google-containers/nginx'],
    ['1.7.9', '1.8', 'latest'],
    (version) => settings(version, debian, 80),
  ),
];
