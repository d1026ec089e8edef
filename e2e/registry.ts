import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImageFile, imageArchive } from '../src/runtime/cri/pause-image.ts';
import { run } from './harness.ts';

const tools = ['/usr/bin/docker-registry', '/usr/bin/skopeo'];

/** Why no registry can be run here; '' when one can. */
export const registryMissing = tools.every((file) => existsSync(file))
  ? ''
  : 'docker-registry and skopeo are not installed';

/** The account of registries with accounts: `puller`, password `secret` (bcrypt). */
const htpasswd = 'puller:$2b$05$rbKwACN.9vjriKFLGtXd5ueA3srB0cflDSJuttN7njqJFNx4B07z6\n';

export interface Registry {
  /** `127.0.0.1:5000` */
  readonly host: string;
  push(
    name: string,
    files: Readonly<Record<string, ImageFile>>,
    config?: Parameters<typeof imageArchive>[2],
    architecture?: string,
  ): Promise<void>;
  /** Publishes an index that offers an image for one architecture only. */
  index(name: string, image: string, architecture: string): Promise<void>;
  /** Ends it; its images stay for another one on the same directory. */
  stop(): Promise<void>;
  dispose(): Promise<void>;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** Starts Debian's docker-registry on loopback, with an account where wanted. */
export async function startRegistry(options: { readonly port: number; readonly account?: boolean }): Promise<Registry> {
  const { port } = options;
  const dir = mkdtempSync(join(tmpdir(), 'coracle-registry-'));
  writeFileSync(join(dir, 'htpasswd'), htpasswd);
  const config = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: dir } },
    http: { addr: `127.0.0.1:${port}` },
    ...(options.account && { auth: { htpasswd: { realm: 'test', path: join(dir, 'htpasswd') } } }),
  };
  writeFileSync(join(dir, 'config.yml'), JSON.stringify(config));
  const child: ChildProcess = spawn('docker-registry', ['serve', join(dir, 'config.yml')], { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const end = Date.now() + 10_000;
  while (!(await answers(port))) {
    if (Date.now() > end || child.exitCode !== null) throw new Error(`docker-registry does not answer on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  const registry: Registry = {
    host: `127.0.0.1:${port}`,
    async push(name, files, imageConfig = {}, architecture = 'amd64') {
      const file = join(dir, 'image.tar');
      writeFileSync(file, await imageArchive(`${registry.host}/${name}`, files, imageConfig, architecture));
      const credentials = options.account ? ['--dest-creds', 'puller:secret'] : [];
      const { code, stderr } = await run('skopeo', [
        '--insecure-policy',
        'copy',
        '--dest-tls-verify=false',
        ...credentials,
        `docker-archive:${file}`,
        `docker://${registry.host}/${name}`,
      ]);
      rmSync(file, { force: true });
      if (code !== 0) throw new Error(`skopeo copy: ${stderr}`);
    },
    async index(name, image, architecture) {
      const at = (it: string): string => `http://${registry.host}/v2/${it.replace(':', '/manifests/')}`;
      const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
      const found = await fetch(at(image), { headers: { Accept: mediaType } });
      const size = (await found.arrayBuffer()).byteLength;
      const digest = found.headers.get('docker-content-digest') ?? '';
      const list = 'application/vnd.docker.distribution.manifest.list.v2+json';
      const manifests = [{ mediaType, size, digest, platform: { architecture, os: 'linux' } }];
      const done = await fetch(at(name), {
        method: 'PUT',
        headers: { 'Content-Type': list },
        body: JSON.stringify({ schemaVersion: 2, mediaType: list, manifests }),
      });
      if (!done.ok) throw new Error(`cannot publish ${name}: ${await done.text()}`);
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
    async dispose() {
      await registry.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return registry;
}
