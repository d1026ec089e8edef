import { describe, expect, test } from 'vitest';
import { builtinImage, simBox } from '../sim-box.ts';

describe('small images', () => {
  test.each([
    ['traefik/whoami', undefined, 'Starting up on port 80', 80, /^Hostname: box\nIP: 127.0.0.1\n/],
    ['hashicorp/http-echo', ['/http-echo', '-text=hello'], 'server is listening on :5678', 5678, /^hello\n$/],
    [
      'gcr.io/google-samples/hello-app:1.0',
      undefined,
      'Server listening',
      8080,
      /^Hello, world!\nVersion: 1.0.0\nHostname: box\n$/,
    ],
    [
      'gcr.io/google-samples/kubernetes-bootcamp:v1',
      undefined,
      'Started At',
      8080,
      /^Hello Kubernetes bootcamp! \| Running on: box \| v=1\n$/,
    ],
    ['registry.k8s.io/echoserver:1.4', undefined, 'Starting nginx', 8080, /Hostname: box/],
    ['paulbouwer/hello-kubernetes:1.10', undefined, 'Listening', 8080, /Hello world!/],
  ] as const)('%s serves', async (name, argv, line, port, body) => {
    const box = simBox(builtinImage(name));
    await box.start(argv).saw(line);
    const client = simBox(builtinImage('busybox'), { network: box.network });
    expect((await client.run(['wget', '-qO-', `http://${box.ip}:${port}/`])).stdout).toMatch(body);
  });

  test('stress beyond its memory is killed and says so', async () => {
    const box = simBox(builtinImage('polinux/stress'), { memoryLimit: 100 << 20 });
    const result = await box.run(['stress', '--vm', '1', '--vm-bytes', '250M', '--vm-hang', '1']);
    expect(result.code).toBe(1);
    expect(result.stdout).toBe('stress: info: [1] dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd\n');
    expect(result.stderr).toMatch(
      /^stress: FAIL: \[1\] \(415\) <-- worker 2 got signal 9\nstress: WARN: .*\nstress: FAIL: \[1\] \(451\) failed run completed in \ds\n$/,
    );
    expect(box.workload.cgroup.oomKills).toBe(1);
    const fits = await box.run(['stress', '--cpu', '1', '--timeout', '0.05']);
    expect(fits).toMatchObject({ code: 0, stderr: '' });
    expect(fits.stdout).toContain('successful run completed in 0s');
  });

  test.each([
    ['http://no.such.host/', 6, 'curl: (6) Could not resolve host: no.such.host\n'],
    [
      'http://127.0.0.1:9/',
      7,
      /^curl: \(7\) Failed to connect to 127.0.0.1 port 9 after \d+ ms: Could not connect to server\n$/,
    ],
    ['ftp://x/', 1, 'curl: (1) Protocol "ftp" not supported\n'],
  ])('curl %s', async (url, code, stderr) => {
    const box = simBox(builtinImage('curlimages/curl'));
    const result = await box.run(['/entrypoint.sh', '-sS', url], { uid: 100 });
    expect(result.code).toBe(code);
    if (typeof stderr === 'string') expect(result.stderr).toBe(stderr);
    else expect(result.stderr).toMatch(stderr);
  });
});
