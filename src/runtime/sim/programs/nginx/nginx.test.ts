import { describe, expect, test } from 'vitest';
import { builtinImage, simBox } from '../sim-box.ts';

const image = builtinImage('nginx:1.27.5');

describe('nginx', () => {
  test('serves its page, logs, and ends gracefully', async () => {
    const box = simBox(image);
    const server = box.start();
    await server.saw('start worker process');
    const client = simBox(builtinImage('busybox'), { network: box.network });
    const page = await client.run(['wget', '-qO-', `http://${box.ip}/`]);
    expect(page.stdout).toContain('<title>Welcome to nginx!</title>');
    const missing = await client.run(['wget', '-qO-', `http://${box.ip}/nope`]);
    expect(missing).toMatchObject({ code: 1, stderr: 'wget: server returned error: HTTP/1.1 404 Not Found\n' });
    await server.saw('"GET /nope HTTP/1.1" 404 153 "-" "Wget" "-"');
    expect(server.stderr()).toContain('open() "/usr/share/nginx/html/nope" failed (2: No such file or directory)');
    server.p.signal('QUIT', false);
    expect(await server.ended).toBe(0);
    expect(server.stderr()).toMatch(/\[notice\] 1#1: exit\n$/);
    const refused = await client.run(['wget', '-qO-', `http://${box.ip}/`]);
    expect(refused.stderr).toBe(`wget: can't connect to remote host (${box.ip}): Connection refused\n`);
  });

  test.each([
    ['server {\n  listen 80\n}\n', 'nginx: [emerg] unexpected "}" in /etc/nginx/conf.d/default.conf:3'],
    ['server {\n  lissten 80;\n}\n', 'nginx: [emerg] unknown directive "lissten" in /etc/nginx/conf.d/default.conf:2'],
    [
      'server {\n  listen 80;\n',
      'nginx: [emerg] unexpected end of file, expecting "}" in /etc/nginx/conf.d/default.conf:3',
    ],
    ['listen 80;\n', 'nginx: [emerg] "listen" directive is not allowed here in /etc/nginx/conf.d/default.conf:1'],
    [
      'server { location / { proxy_pass http://nobody.example; } }\n',
      'nginx: [emerg] host not found in upstream "nobody.example" in /etc/nginx/conf.d/default.conf:1',
    ],
  ])('refuses %j', async (conf, message) => {
    const box = simBox(image);
    box.write('/etc/nginx/conf.d/default.conf', conf);
    const { stderr, code } = await box.run(['nginx', '-t']);
    expect(stderr.split('\n')[0]).toBe(message);
    expect(code).toBe(1);
  });

  test('as another user it cannot make its directories', async () => {
    const box = simBox(image);
    const server = box.start(undefined, { uid: 1000 });
    expect(await server.ended).toBe(1);
    expect(server.stderr()).toContain(
      'nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (13: Permission denied)\n',
    );
    const free = simBox(builtinImage('nginxinc/nginx-unprivileged'));
    await free.start().saw('start worker process');
  });

  test('locations, returns, proxies, error pages', async () => {
    const back = simBox(image);
    await back.start().saw('start worker process');
    const box = simBox(image, { network: back.network, hosts: `127.0.0.1 localhost\n${back.ip} back\n` });
    box.write(
      '/etc/nginx/conf.d/default.conf',
      `upstream app { server back:80; }
server {
  listen 8080;
  location = /healthz { access_log off; return 200 "ok\\n"; }
  location /old { return 301 /new; }
  location /app/ { proxy_pass http://app/; proxy_set_header X-Real-IP $remote_addr; }
  location ~ ^/user/(\\w+)$ { default_type text/plain; return 200 "hello $1\\n"; }
  location /down { proxy_pass http://127.0.0.1:9; }
  location / { root /usr/share/nginx/html; try_files $uri /index.html; }
}
`.replaceAll('\\n"', '\n"'),
    );
    const server = box.start();
    await server.saw('start worker process');
    const get = async (path: string) => (await box.run(['curl', '-s', '-i', `http://localhost:8080${path}`])).stdout;
    expect(await get('/healthz')).toMatch(/^HTTP\/1.1 200 OK\r\nServer: nginx\/1.27.5\r\n[\s\S]*\r\n\r\nok\n$/);
    expect(await get('/old')).toContain('Location: http://localhost:8080/new\r\n');
    expect(await get('/app/')).toContain('Welcome to nginx!');
    expect(await get('/user/ann')).toMatch(/hello ann\n$/);
    expect(await get('/whatever')).toContain('Welcome to nginx!');
    expect(await get('/down')).toMatch(/^HTTP\/1.1 502 Bad Gateway/);
    expect(server.stderr()).toContain('connect() failed (111: Connection refused) while connecting to upstream');
  });
});
