import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { etcdStore } from '../store/etcd/etcd-store.ts';
import { lmdbStore } from '../store/lmdb/lmdb-store.ts';
import { memoryStore } from '../store/memory/memory-store.ts';
import type { Store } from '../store/store.ts';
import { type ClusterOptions, type EtcdAccess, UsageError } from './options.ts';

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Connects to etcd with the certificates that the options name. */
export function openEtcd(access: EtcdAccess, clock: Clock): Promise<Store> {
  const { endpoints, caFile, certFile, keyFile, prefix, user, passwordFile } = access;
  return etcdStore(
    {
      endpoints,
      ...(caFile !== undefined && { ca: readPem(caFile) }),
      ...(certFile !== undefined && { certificate: readPem(certFile) }),
      ...(keyFile !== undefined && { key: readPem(keyFile) }),
      ...(prefix !== undefined && { prefix }),
      ...(user !== undefined && { user }),
      ...(passwordFile !== undefined && { password: readPem(passwordFile).trim() }),
    },
    clock,
  );
}

/** etcd's own largest sensible quota: a store beyond it wants looking after. */
const quotaBytes = 8 * 2 ** 30;

export const storeDirectory = (dataDir: string): string => join(dataDir, 'store');

/** Opens the store that a cluster's options name. */
export async function openStore(options: ClusterOptions, clock: Clock): Promise<Store> {
  switch (options.store) {
    case 'memory':
      return memoryStore(clock);
    case 'lmdb':
      return lmdbStore(storeDirectory(options.dataDir), clock, { quotaBytes });
    case 'etcd':
      if (!options.etcd) throw new UsageError('--store etcd needs --etcd-endpoints');
      return openEtcd(options.etcd, clock);
  }
}
