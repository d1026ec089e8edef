import { describe, expect, test } from 'vitest';
import { builtinImage, simBox } from '../sim-box.ts';

const image = builtinImage('registry.k8s.io/e2e-test-images/agnhost');

describe('agnhost', () => {
  test('netexec answers on its endpoints', async () => {
    const box = simBox(image);
    const server = box.start(['/agnhost', 'netexec']);
    await server.saw('Started UDP server on port  8081');
    const other = simBox(builtinImage('curlimages/curl'), { network: box.network });
    const get = async (path: string) =>
      (await other.run(['curl', '-s', '-w', ' %{http_code}', `http://${box.ip}:8080${path}`])).stdout;
    expect(await get('/hostname')).toBe('box 200');
    expect(await get('/echo?msg=hi&code=418')).toBe('hi 418');
    expect(await get('/clientip')).toMatch(new RegExp(`^${other.ip}:\\d+ 200$`));
    expect(await get('/healthz')).toBe(' 200');
    expect(await get('/shell?cmd=echo%20out;exit%203')).toBe('{"error":"exit status 3","output":"out\\n"} 200');
    expect(await get(`/dial?host=${box.ip}&port=8081&request=hostname&protocol=udp&tries=2`)).toBe(
      '{"responses":["box","box"]} 200',
    );
    expect(await get(`/dial?host=${box.ip}&port=8080&request=hostname&protocol=http`)).toBe(
      '{"responses":["box"]} 200',
    );
    expect(await get(`/dial?host=${box.ip}&port=9&request=hostname`)).toBe(
      `{"errors":["Get \\"http://${box.ip}:9/hostname\\": dial tcp ${box.ip}:9: connect: connection refused"]} 200`,
    );
    const connected = await other.run(['curl', '-s', '-o', '/dev/null', `http://${box.ip}:8080/exit?code=5`]);
    expect(connected.code).toBe(52);
    expect(await server.ended).toBe(5);
  });

  test.each([
    [['entrypoint-tester', 'a', 'b'], '[/agnhost entrypoint-tester a b]\n', '', 0],
    [['dns-suffix'], 'a.example,b.example\n', '', 0],
    [['dns-server-list'], '10.0.0.10\n', '', 0],
    [['connect', '127.0.0.1:9', '--timeout=1s'], '', 'REFUSED\n', 1],
    [['connect', 'nowhere.invalid:9'], '', 'DNS: lookup nowhere.invalid: no such host\n', 1],
    [
      ['mounttest', '--new_file_0666=/tmp/f', '--file_perm=/tmp/f'],
      'content of file "/tmp/f": mount-tester new file\n\nperms of file "/tmp/f": -rw-rw-rw-\n',
      '',
      0,
    ],
    [
      ['mounttest', '--file_content=/none'],
      'error reading file content for "/none": open /none: no such file or directory\n',
      '',
      1,
    ],
    [
      ['webhook'],
      '',
      'Error: the simulated agnhost does not have the command "webhook"; run it on a node with containerd\n',
      1,
    ],
    [['nope'], '', 'Error: unknown command "nope" for "app"\nRun \'app --help\' for usage.\n', 1],
  ])('%j', async (args, stdout, stderr, code) => {
    const box = simBox(image);
    box.write('/etc/resolv.conf', 'search a.example b.example\nnameserver 10.0.0.10\noptions timeout:0 attempts:1\n');
    expect(await box.run(['/agnhost', ...args])).toEqual({ stdout, stderr, code });
  });

  test('the guestbook keeps its replicas up to date', async () => {
    const primary = simBox(image);
    primary.start(['/agnhost', 'guestbook', '--http-port', '6379']);
    const replica = simBox(image, { network: primary.network, hosts: `${primary.ip} agnhost-primary\n` });
    const started = replica.start(['/agnhost', 'guestbook', '--replicaof', 'agnhost-primary', '--http-port', '6379']);
    await started.saw('Registered to node');
    const set = await replica.run(['curl', '-s', `http://${primary.ip}:6379/set?key=k&value=v`]);
    expect(set.stdout).toBe('{"message":"Updated"}');
    expect((await primary.run(['curl', '-s', `http://${replica.ip}:6379/get?key=k`])).stdout).toBe('{"data":"v"}');
  });
});
