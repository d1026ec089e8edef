import type { ImageFiles } from '../vfs/image-tree.ts';
import { alpineFiles, bookworm, busyboxFiles, debianFiles } from './base-files.ts';
import { type ImageSettings, imageFamily, official, once } from './define.ts';
import type { SimImage } from './sim-image.ts';

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const env = { PATH: path };
const alpine = once(() => alpineFiles('3.21.3'));
const noShell: ImageFiles = {
  '/tmp': { directory: true, mode: 0o1777 },
  '/etc/passwd': 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
  '/etc/group': 'root:x:0:\nnonroot:x:65532:\n',
};

/** An image with one program and nothing else, or on top of `base`. */
const single = (
  name: string,
  program: string,
  more: Partial<ImageSettings> & { base?: () => ImageFiles } = {},
): ImageSettings => {
  const { base, ...settings } = more;
  return {
    files: once(() => ({ ...(base?.() ?? noShell), [`/${name}`]: { program, memoryKiB: 8000 } })),
    entrypoint: [`/${name}`],
    env,
    sizeBytes: 12_000_000,
    ...settings,
  };
};

const e2e = (name: string): readonly string[] => [
  `registry.k8s.io/e2e-test-images/${name}`,
  `k8s.gcr.io/e2e-test-images/${name}`,
];

const agnhostFiles = once(() => ({
  ...alpineFiles('3.20.3'),
  '/agnhost': { program: 'agnhost', memoryKiB: 12_000 },
  '/agnhost-2': { program: 'agnhost', memoryKiB: 12_000 },
  '/usr/bin/curl': { program: 'curl', memoryKiB: 9000 },
  '/usr/bin/nc': { program: 'gnu/nc' },
  '/usr/bin/ss': { program: 'ss' },
  '/bin/bash': { program: 'bash', memoryKiB: 3400 },
  '/uploads': { directory: true as const },
}));

const agnhostTags = [
  '2.59 latest',
  '2.57',
  '2.56',
  '2.55',
  '2.54',
  '2.53',
  '2.52',
  '2.51',
  '2.50',
  '2.48',
  '2.47',
  '2.45',
  '2.43',
  '2.40',
  '2.39',
  '2.36',
  '2.33',
  '2.32',
  '2.31',
  '2.30',
  '2.26',
  '2.21',
  '2.20',
  '2.12',
  '2.9',
];

/** Small servers and tools of tutorials and of the e2e tests. */
export const smallImages = (): readonly SimImage[] => [
  ...imageFamily([...e2e('agnhost'), 'k8s.gcr.io/agnhost', 'registry.k8s.io/agnhost'], agnhostTags, () => ({
    files: agnhostFiles,
    entrypoint: ['/agnhost'],
    cmd: ['pause'],
    env,
    exposedPorts: ['80/tcp', '8080/tcp', '8081/tcp', '9376/tcp'],
    sizeBytes: 52_900_000,
  })),
  ...imageFamily(e2e('nonewprivs'), ['1.3', '1.2'], () => single('nnp', 'nonewprivs', { base: alpine })),
  ...imageFamily(e2e('nonroot'), ['1.4', '1.2', '1.1'], () => ({
    files: () => busyboxFiles,
    cmd: ['/bin/sh', '-c', 'id -u'],
    user: '1234',
    env,
    sizeBytes: 2_200_000,
  })),
  ...imageFamily(e2e('resource-consumer'), ['1.13', '1.12', '1.9'], () =>
    single('consumer', 'resource-consumer', { base: () => busyboxFiles, exposedPorts: ['8080/tcp'] }),
  ),
  ...imageFamily(e2e('jessie-dnsutils'), ['1.7', '1.5', '1.3'], () => ({
    files: once(() => ({ ...debianFiles(bookworm, ['nslookup', 'ping']), '/usr/bin/curl': { program: 'curl' } })),
    cmd: ['sleep', 'infinity'],
    env,
    sizeBytes: 112_000_000,
  })),
  ...imageFamily(e2e('nautilus'), ['1.7', '1.5'], () =>
    single('test-webserver', 'agnhost', {
      base: () => ({ ...busyboxFiles, '/data.json': '{"image": "nautilus.jpg"}\n' }),
      entrypoint: ['/test-webserver', 'test-webserver'],
    }),
  ),
  ...imageFamily(e2e('kitten'), ['1.7', '1.5'], () =>
    single('test-webserver', 'agnhost', {
      base: () => ({ ...busyboxFiles, '/data.json': '{"image": "kitten.jpg"}\n' }),
      entrypoint: ['/test-webserver', 'test-webserver'],
    }),
  ),
  ...imageFamily(
    ['docker.io/curlimages/curl', 'quay.io/curl/curl'],
    [
      '8.14.1 latest 8.13.0 8.12.1 8.11.1 8.10.1',
      '8.9.1 8.8.0 8.7.1 8.6.0 8.5.0 8.4.0',
      '7.88.1 7.87.0 7.85.0 7.80.0 7.78.0',
    ],
    () => ({
      files: once(() => ({
        ...alpine(),
        '/usr/bin/curl': { program: 'curl', memoryKiB: 9000 },
        '/entrypoint.sh': { program: 'curl-entrypoint' },
        '/etc/passwd': `${String(alpine()['/etc/passwd'])}curl_user:x:100:101:Linux User,,,:/home/curl_user:/bin/sh\n`,
        '/home/curl_user': { directory: true as const, uid: 100, gid: 101 },
      })),
      entrypoint: ['/entrypoint.sh'],
      cmd: ['curl'],
      user: 'curl_user',
      workingDir: '/home/curl_user',
      env,
      sizeBytes: 9_500_000,
    }),
  ),
  ...imageFamily(['docker.io/polinux/stress'], ['latest 1.0.4'], () => ({
    files: once(() => ({
      ...alpine(),
      '/usr/local/bin/stress': { program: 'stress', memoryKiB: 700 },
      '/bin/bash': { program: 'bash' },
    })),
    cmd: ['stress'],
    env,
    sizeBytes: 4_000_000,
  })),
  ...imageFamily(['docker.io/progrium/stress', 'docker.io/vish/stress'], ['latest'], () => ({
    files: once(() => ({ ...debianFiles(bookworm), '/usr/bin/stress': { program: 'stress', memoryKiB: 700 } })),
    entrypoint: ['/usr/bin/stress', '--verbose'],
    env,
    sizeBytes: 281_000_000,
  })),
  ...imageFamily(official('hello-world'), ['latest linux nanoserver'], () => ({
    files: once(() => ({ '/hello': { program: 'hello-world', memoryKiB: 40 } })),
    cmd: ['/hello'],
    env,
    sizeBytes: 10_000,
  })),
  ...imageFamily(
    ['docker.io/traefik/whoami', 'docker.io/containous/whoami'],
    ['latest v1.11.0 v1.11 v1.10.4 v1.10 v1.9 v1.8'],
    () => single('whoami', 'traefik-whoami', { exposedPorts: ['80/tcp'] }),
  ),
  ...imageFamily(['docker.io/hashicorp/http-echo'], ['latest 1.0.0 1.0 0.2.3'], () =>
    single('http-echo', 'http-echo', { exposedPorts: ['5678/tcp'], user: '65532:65532' }),
  ),
  ...['1.0', '2.0'].flatMap((version) =>
    imageFamily(
      ['gcr.io/google-samples/hello-app', 'us-docker.pkg.dev/google-samples/containers/gke/hello-app'],
      [version],
      () =>
        single('hello-app', 'hello-app', {
          env: { ...env, PORT: '8080', HELLO_VERSION: `${version}.0` },
          exposedPorts: ['8080/tcp'],
        }),
    ),
  ),
  ...['v1', 'v2', 'v3'].flatMap((version) =>
    imageFamily(
      [
        'gcr.io/google-samples/kubernetes-bootcamp',
        'docker.io/jocatalin/kubernetes-bootcamp',
        'gcr.io/k8s-minikube/kubernetes-bootcamp',
      ],
      [version === 'v1' ? 'v1 latest' : version],
      () =>
        single('server', 'bootcamp', {
          base: once(() => debianFiles(bookworm, ['ps'])),
          env: { ...env, BOOTCAMP_VERSION: version.slice(1) },
          exposedPorts: ['8080/tcp'],
        }),
    ),
  ),
  ...imageFamily(
    [
      'registry.k8s.io/echoserver',
      'k8s.gcr.io/echoserver',
      'gcr.io/google_containers/echoserver',
      'gcr.io/google-containers/echoserver',
      'registry.k8s.io/e2e-test-images/echoserver',
      'k8s.gcr.io/e2e-test-images/echoserver',
    ],
    ['1.10 1.9 1.8 1.4', '2.5 2.4 2.3'],
    () => single('server', 'echo-server', { base: alpine, exposedPorts: ['8080/tcp'] }),
  ),
  ...imageFamily(['docker.io/jmalloc/echo-server', 'docker.io/ealen/echo-server'], ['latest 0.3.7 0.3.6'], () =>
    single('echo-server', 'echo-server', { exposedPorts: ['8080/tcp'] }),
  ),
  ...imageFamily(['docker.io/paulbouwer/hello-kubernetes'], ['1.10.1 1.10', '1.9', '1.8', '1.7', '1.5'], () =>
    single('hello-kubernetes', 'hello-kubernetes', { base: alpine, exposedPorts: ['8080/tcp'] }),
  ),
  ...imageFamily(
    ['docker.io/nicolaka/netshoot', 'docker.io/praqma/network-multitool', 'docker.io/wbitt/network-multitool'],
    ['latest v0.13 v0.12 v0.11'],
    () => ({
      files: once(() => ({
        ...alpine(),
        '/usr/bin/curl': { program: 'curl' },
        '/bin/bash': { program: 'bash' },
        '/usr/bin/ss': { program: 'ss' },
      })),
      cmd: ['sleep', 'infinity'],
      env,
      sizeBytes: 200_000_000,
    }),
  ),
];
