import { createHash } from 'node:crypto';
import { SysError, strerror } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { readText } from '../../net/read-text.ts';
import { bind, connect, lookupHost, receive, resolverConfig } from '../../net/sockets.ts';
import type { Inode } from '../../vfs/inode.ts';
import { find } from '../../vfs/mount-space.ts';
import { modeText } from '../files/ls.ts';
import { type GoFlags, goDuration, goError, goLog, klog } from '../go.ts';
import { exchange } from '../http/client.ts';
import { secureTransport } from '../http/secure.ts';

/** agnhost connect: tries a connection and says what is wrong in one word. */
export async function connectTo(p: Process, flags: GoFlags): Promise<number> {
  const [target] = flags.rest;
  const fail = async (text: string): Promise<number> => {
    await p.complain(`${text}\n`);
    return 1;
  };
  if (target === undefined) return fail(`Error: accepts 1 arg(s), received ${flags.rest.length}`);
  const timeout = goDuration(flags.text('timeout')) ?? 0;
  const protocol = flags.text('protocol');
  if (protocol === 'sctp') return fail('OTHER: SCTP is not there in the simulated network');
  if (protocol !== 'tcp' && protocol !== 'udp') return fail('Unsupported protocol');
  const match = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(target);
  if (!match) return fail(`UNKNOWN: address ${target}: missing port in address`);
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '');
  const found = await lookupHost(p, host);
  if (found.kind !== 'found') return fail(`DNS: lookup ${host}: no such host`);
  const ip = found.addresses[0] ?? host;
  const port = Number(match[2]);
  if (protocol === 'udp') {
    const held = bind(p);
    held.socket.send({ ip, port }, Buffer.from(`${flags.text('udp-data')}\n`));
    const datagram = await receive(p, held.socket, timeout > 0 ? timeout : Number.POSITIVE_INFINITY);
    return datagram
      ? 0
      : fail(`TIMEOUT: read udp ${p.workload.net.ips[0]}:${held.socket.local.port}->${ip}:${port}: i/o timeout`);
  }
  try {
    await connect(p, ip, port, timeout);
    return 0;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (error.code === 'ETIMEDOUT') return fail('TIMEOUT');
    return fail(
      error.code === 'ECONNREFUSED' ? 'REFUSED' : `OTHER: dial tcp ${ip}:${port}: connect: ${goError(error)}`,
    );
  }
}

/** agnhost dns-suffix, dns-server-list, etc-hosts: what the resolver is configured with. */
export async function dnsFacts(p: Process, what: 'dns-suffix' | 'dns-server-list' | 'etc-hosts'): Promise<number> {
  if (what === 'etc-hosts') {
    await p.print((await readText(p, '/etc/hosts')) ?? '');
    return 0;
  }
  const { search, servers } = await resolverConfig(p);
  await p.print(`${(what === 'dns-suffix' ? search : servers).join(',')}\n`);
  return 0;
}

/** agnhost logs-generator: lines spread evenly over a duration. */
export async function logsGenerator(p: Process, flags: GoFlags): Promise<number> {
  const total = flags.number('log-lines-total');
  const duration = goDuration(flags.text('run-duration')) ?? 0;
  if (total <= 0) {
    await klog(p, 'F', 'logs_generator.go:64', `Invalid total number of lines: ${total}`);
    return 255;
  }
  if (duration <= 0) {
    await klog(p, 'F', 'logs_generator.go:68', `Invalid duration: ${flags.text('run-duration')}`);
    return 255;
  }
  const { random } = p.workload;
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random.next() * items.length)] as T;
  const letters = [...'bcdfghjklmnpqrstvwxz2456789'];
  for (let id = 0; id < total; id++) {
    const name = Array.from({ length: 3 + Math.floor(random.next() * 2) }, () => pick(letters)).join('');
    const url = `/api/v1/namespaces/${pick(['kube-system', 'default', 'ns'])}/pods/${name}`;
    await klog(
      p,
      'I',
      'logs_generator.go:76',
      `${id} ${pick(['GET', 'POST', 'PUT'])} ${url} ${200 + Math.floor(random.next() * 400)}`,
    );
    await p.sleep(duration / total);
  }
  return 0;
}

/** Go's %v of a file's mode: `-rw-r--r--`, with letters before for special files and bits. */
function goMode(inode: Inode, permissions: boolean): string {
  const plain = modeText({ type: 'file', mode: inode.mode & 0o777 } as Inode);
  if (permissions) return plain;
  const lead = `${inode.type === 'directory' ? 'd' : inode.type === 'symlink' ? 'L' : inode.type === 'fifo' ? 'p' : inode.type === 'char' ? 'Dc' : ''}${inode.mode & 0o4000 ? 'u' : ''}${inode.mode & 0o2000 ? 'g' : ''}${inode.mode & 0o1000 ? 't' : ''}`;
  return `${lead || '-'}${plain.slice(1)}`;
}

/** statfs(2)'s numbers of file system types. */
const magic = {
  tmpfs: 0x01021994,
  overlay: 0x794c7630,
  ext4: 0xef53,
  proc: 0x9fa0,
  sysfs: 0x62656572,
  cgroup2: 0x63677270,
  devtmpfs: 0x01021994,
};

/** agnhost mounttest: makes files and tells about them. */
export async function mounttest(p: Process, flags: GoFlags): Promise<number> {
  p.umask = 0;
  let failed = false;
  const attempt = async (
    flag: string,
    trouble: (path: string) => string,
    act: (path: string) => Promise<void>,
  ): Promise<void> => {
    const path = flags.text(flag);
    if (path === '') return;
    try {
      await act(path);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      failed = true;
      await p.print(`${trouble(path)}: ${opening(error, path)}\n`);
    }
  };
  const opening = (error: SysError, path: string): string => `open ${path}: ${goError(error)}`;
  const content = async (path: string): Promise<void> => {
    const fd = p.open(path, { read: true });
    const text = (await p.readAll(fd)).toString();
    p.close(fd);
    await p.print(`content of file "${path}": ${text}\n`);
  };
  const stat = (path: string): Inode => find(p.view, path).inode;
  await attempt(
    'fs_type',
    (path) => `error from statfs("${path}")`,
    async (path) => p.print(`mount type of "${path}": ${magic[stat(path).fs.type]}\n`),
  );
  for (const mode of ['0644', '0666', '0660', '0777'])
    await attempt(
      `new_file_${mode}`,
      (path) => `error writing new file "${path}"`,
      async (path) => {
        const fd = p.open(path, { write: true, create: true, truncate: true }, Number.parseInt(mode, 8));
        await p.write(fd, 'mount-tester new file\n');
        p.close(fd);
        await content(path);
      },
    );
  await attempt(
    'file_mode',
    (path) => `error from Stat("${path}")`,
    async (path) => p.print(`mode of file "${path}": ${goMode(stat(path), false)}\n`),
  );
  await attempt(
    'file_perm',
    (path) => `error from Stat("${path}")`,
    async (path) => p.print(`perms of file "${path}": ${goMode(stat(path), true)}\n`),
  );
  await attempt(
    'file_owner',
    (path) => `error from stat("${path}")`,
    async (path) => {
      const { uid, gid } = stat(path);
      await p.print(`owner UID of "${path}": ${uid}\nowner GID of "${path}": ${gid}\n`);
    },
  );
  await attempt('file_content', (path) => `error reading file content for "${path}"`, content);
  const loop = flags.text('file_content_in_loop');
  if (loop !== '') {
    const until = p.workload.clock.monotonic() + flags.number('retry_time') * 1000;
    for (let first = true; first || p.workload.clock.monotonic() < until; first = false) {
      if (!first) await p.sleep(2000);
      const text = await readText(p, loop);
      if (text === undefined) {
        failed = true;
        await p.print(`Error reading file ${loop}: open ${loop}: no such file or directory, retrying\n`);
        continue;
      }
      failed = false;
      await p.print(`content of file "${loop}": ${text}\n`);
      if (!flags.has('break_on_expected_content')) continue;
      if (text === 'mount-tester new file\n') break;
      await p.print('Unexpected content. Expected: mount-tester new file\n. Retrying\n');
    }
  }
  return failed ? 1 : 0;
}

/** agnhost inclusterclient: asks the API server for /healthz with the pod's token. */
export async function inclusterclient(p: Process, flags: GoFlags): Promise<number> {
  await klog(p, 'I', 'main.go:61', 'started');
  const base = '/var/run/secrets/kubernetes.io/serviceaccount';
  const host = p.env.get('KUBERNETES_SERVICE_HOST');
  const port = Number(p.env.get('KUBERNETES_SERVICE_PORT') ?? 443);
  if (!host || (await readText(p, `${base}/token`)) === undefined) {
    await goLog(
      p,
      host
        ? `err: open ${base}/token: no such file or directory`
        : 'err: unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined',
    );
    return 1;
  }
  for (;;) {
    await p.sleep(flags.number('poll-interval') * 1000);
    await klog(p, 'I', 'main.go:79', 'calling /healthz');
    const token = ((await readText(p, `${base}/token`)) ?? '').trim();
    const ca = await readText(p, `${base}/ca.crt`);
    const hash = createHash('sha256').update(`salt|Bearer ${token}`).digest('base64url');
    await klog(p, 'I', 'main.go:97', `authz_header=${hash}`);
    try {
      const { fd } = await connect(p, host, port, 10_000);
      const transport = await secureTransport(p, fd, { host, verify: true, ...(ca === undefined ? {} : { ca }) });
      const reply = await exchange(transport, {
        method: 'GET',
        target: '/healthz',
        headers: [
          ['Host', host],
          ['Authorization', `Bearer ${token}`],
          ['Connection', 'close'],
        ],
      });
      if (!reply || reply.status >= 400)
        throw new Error(`the server responded with the status code ${reply?.status ?? 0}`);
      transport.close();
      p.close(fd);
    } catch (error) {
      await klog(p, 'E', 'main.go:82', 'status=failed');
      await klog(
        p,
        'E',
        'main.go:83',
        `error checking /healthz: ${error instanceof SysError ? strerror(error) : error instanceof Error ? error.message : error}`,
      );
    }
  }
}
