import packet from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { defineImage } from '../../images/define-image.ts';
import type { SimNetwork } from '../../net/sim-network.ts';
import { builtinImage, simBox } from '../sim-box.ts';

const zone: Readonly<Record<string, string>> = {
  'web.ns.svc.cluster.local': '10.96.0.5',
  'outside.example': '192.0.2.1',
};

/** A name server at 10.96.0.10 that speaks for cluster.local. */
function answerNames(network: SimNetwork): void {
  network.hooks = {
    externalDatagram(to, data, _source, answer) {
      if (to.ip !== '10.96.0.10' || to.port !== 53) return false;
      const query = packet.decode(Buffer.from(data));
      const question = query.questions?.[0];
      if (!question) return false;
      const address = zone[question.name];
      answer(
        packet.encode({
          type: 'response',
          id: query.id ?? 0,
          flags: (question.name.endsWith('.local') ? packet.AUTHORITATIVE_ANSWER : 0) | (address === undefined ? 3 : 0),
          questions: [question],
          answers:
            address !== undefined && question.type === 'A'
              ? [{ type: 'A', name: question.name, ttl: 5, data: address }]
              : [],
        }),
      );
      return true;
    },
  };
}

describe('names', () => {
  const box = simBox(builtinImage('busybox'));
  answerNames(box.network);
  box.write(
    '/etc/resolv.conf',
    'search ns.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n',
  );
  const head = 'Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n';
  const absent = (name: string) => `** server can't find ${name}: NXDOMAIN\n\n`;
  // As busybox 1.35 answers to the same questions, from the same zone.
  test.each([
    ['web.ns.svc.cluster.local', 'Name:\tweb.ns.svc.cluster.local\nAddress: 10.96.0.5\n\n\n', 0],
    ['web.ns', absent('web.ns').repeat(2), 1],
    [
      'web',
      `Name:\tweb.ns.svc.cluster.local\nAddress: 10.96.0.5\n\n${absent('web.svc.cluster.local')}\n${absent('web.svc.cluster.local')}`,
      1,
    ],
    [
      'outside.example',
      'Non-authoritative answer:\nName:\toutside.example\nAddress: 192.0.2.1\n\nNon-authoritative answer:\n\n',
      0,
    ],
  ])('nslookup %s', async (name, stdout, code) => {
    expect(await box.run(['nslookup', name])).toEqual({ stdout: head + stdout, stderr: '', code });
  });
  test('getaddrinfo searches', async () => {
    expect((await box.run(['wget', '-qO-', '-T', '1', 'http://nowhere/'])).stderr).toBe(
      "wget: bad address 'nowhere'\n",
    );
    expect((await box.run(['ping', '-c', '1', 'nowhere'])).stderr).toBe("ping: bad address 'nowhere'\n");
  });
});

describe('wget', () => {
  const server = simBox(
    defineImage({
      name: 'server',
      exec: (context) =>
        context.serveHttp(80, async ({ path, method, body }) => {
          if (path === '/hello') return { status: 200, body: 'hello\n' };
          if (path === '/moved') return { status: 302, headers: [['Location', '/hello']] };
          if (path === '/post') return { status: 200, body: `${method} ${body}\n` };
          if (path === '/never') await context.sleep(60_000);
          return { status: 404, body: 'no\n' };
        }),
    }),
  );
  server.start();
  const client = simBox(builtinImage('busybox'), { network: server.network, hosts: `${server.ip} server\n` });
  const bar = '100% |********************************|     6  0:00:00 ETA\n';
  test.each([
    [['-qO-', 'http://server/hello'], 'hello\n', '', 0],
    [
      ['-O-', 'http://server/moved'],
      'hello\n',
      `Connecting to server (${server.ip}:80)\nwriting to stdout\n-                    ${bar}written to stdout\n`,
      0,
    ],
    [
      ['-O', 'out', 'http://server/hello'],
      '',
      `Connecting to server (${server.ip}:80)\nsaving to 'out'\nout                  ${bar}'out' saved\n`,
      0,
    ],
    [['-qO-', 'http://server/none'], '', 'wget: server returned error: HTTP/1.1 404 Not Found\n', 1],
    [['--spider', 'http://server/hello'], '', `Connecting to server (${server.ip}:80)\nremote file exists\n`, 0],
    [['-qO-', '--post-data=x=1', 'http://server/post'], 'POST x=1\n', '', 0],
    [['-T', '0.05', '-qO-', 'http://server/never'], '', 'wget: download timed out\n', 1],
    [
      ['-qO-', `http://${server.ip}:81/`],
      '',
      `wget: can't connect to remote host (${server.ip}): Connection refused\n`,
      1,
    ],
  ])('%j', async (args, stdout, stderr, code) => {
    expect(await client.run(['wget', ...args], { cwd: '/tmp' })).toEqual({ stdout, stderr, code });
  });
});

test('nc listens and talks', async () => {
  const one = simBox(builtinImage('busybox'));
  const listening = one.start(['nc', '-l', '-p', '9000']);
  const two = simBox(builtinImage('busybox'), { network: one.network });
  const talked = await two.run(['sh', '-c', `until nc -z ${one.ip} 9000; do sleep 0.01; done`]);
  expect(talked.code).toBe(0);
  await listening.ended;
  const again = one.start(['sh', '-c', 'nc -l -p 9001 -e cat']);
  expect(
    (await two.run(['sh', '-c', `until echo ping | nc ${one.ip} 9001 2>/dev/null | grep ping; do sleep 0.01; done`]))
      .stdout,
  ).toBe('ping\n');
  await again.ended;
});

test('addresses, ports and neighbours are shown', async () => {
  const box = simBox(builtinImage('busybox'));
  expect((await box.run(['ip', 'addr', 'show', 'eth0'])).stdout).toContain(`inet ${box.ip}/24`);
  expect((await box.run(['hostname', '-i'])).stdout).toBe(`${box.ip}\n`);
  box.start(['nc', '-lk', '-p', '7000']);
  expect((await box.run(['sh', '-c', 'until netstat -tln | grep 7000; do sleep 0.01; done'])).stdout).toBe(
    'tcp        0      0 0.0.0.0:7000            0.0.0.0:*               LISTEN      \n',
  );
  const ping = await box.run(['ping', '-c', '1', box.ip]);
  expect(ping.code).toBe(0);
  expect(ping.stdout).toMatch(/1 packets transmitted, 1 packets received, 0% packet loss\n/);
});
