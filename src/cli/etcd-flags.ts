import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type EtcdAccess, parseEndpoints, UsageError } from '../cluster/options.ts';

export interface EtcdFlags {
  readonly etcdEndpoints?: string;
  readonly etcdCafile?: string;
  readonly etcdCertfile?: string;
  readonly etcdKeyfile?: string;
  readonly etcdPrefix?: string;
  readonly etcdUser?: string;
  readonly etcdPasswordFile?: string;
}

/** Adds the flags that say where etcd is, named as kube-apiserver names them. */
export function addEtcdFlags(command: Command): Command {
  return command
    .option('--etcd-endpoints <urls>', 'etcd members, http(s)://HOST:PORT,…')
    .option('--etcd-cafile <file>', "authority that signed etcd's certificates")
    .option('--etcd-certfile <file>', 'client certificate for etcd')
    .option('--etcd-keyfile <file>', 'its key')
    .option('--etcd-prefix <path>', 'where Kubernetes lies in etcd (default "/registry")')
    .option('--etcd-user <name>', 'user, where etcd asks for a password')
    .option('--etcd-password-file <file>', 'file with the password');
}

/** The flags in one piece, or undefined where no endpoint is named. */
export function etcdAccess(flags: EtcdFlags): EtcdAccess | undefined {
  if (flags.etcdEndpoints === undefined) {
    const [stray] = Object.keys(flags).filter((name) => name.startsWith('etcd'));
    if (stray !== undefined) throw new UsageError('flags for etcd need --etcd-endpoints');
    return undefined;
  }
  if ((flags.etcdCertfile === undefined) !== (flags.etcdKeyfile === undefined))
    throw new UsageError('--etcd-certfile and --etcd-keyfile belong together');
  if (flags.etcdPrefix !== undefined && !/^\/[^/]+(\/[^/]+)*$/.test(flags.etcdPrefix))
    throw new UsageError(`--etcd-prefix wants a path such as /registry, not "${flags.etcdPrefix}"`);
  const file = (name: 'caFile' | 'certFile' | 'keyFile' | 'passwordFile', path: string | undefined) =>
    path === undefined ? {} : { [name]: resolve(path) };
  return {
    endpoints: parseEndpoints(flags.etcdEndpoints),
    ...file('caFile', flags.etcdCafile),
    ...file('certFile', flags.etcdCertfile),
    ...file('keyFile', flags.etcdKeyfile),
    ...file('passwordFile', flags.etcdPasswordFile),
    ...(flags.etcdPrefix !== undefined && { prefix: flags.etcdPrefix }),
    ...(flags.etcdUser !== undefined && { user: flags.etcdUser }),
  };
}
