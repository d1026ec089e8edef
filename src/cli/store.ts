import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../base/clock.ts';
import { defaultDataDir, UsageError } from '../cluster/options.ts';
import type { StorePlace, StoreReply } from '../cluster/store-admin.ts';
import { addEtcdFlags, type EtcdFlags, etcdAccess } from './etcd-flags.ts';
import type { CommandBuilder } from './main.ts';
import { complain, type Streams, say } from './output.ts';

interface StoreFlags extends EtcdFlags {
  readonly dataDir: string;
  readonly output?: 'text' | 'json';
  readonly rev?: number;
  readonly defrag?: boolean;
}

const revision = (text: string): number => {
  if (!/^[1-9]\d{0,15}$/.test(text)) throw new InvalidArgumentError('A revision is a number from 1 on.');
  return Number(text);
};
const format = (text: string): 'text' | 'json' => {
  if (text !== 'text' && text !== 'json') throw new InvalidArgumentError('Choose text or json.');
  return text;
};
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const place = (flags: StoreFlags): StorePlace => {
  const etcd = etcdAccess(flags);
  return { dataDir: resolve(flags.dataDir), ...(etcd && { etcd }) };
};
const admin = () => import('../cluster/store-admin.ts');

function show(streams: Streams, flags: StoreFlags, json: unknown, lines: readonly string[]): void {
  if (flags.output === 'json') say(streams, JSON.stringify(json, null, 2));
  else for (const line of lines) say(streams, line);
}

function showStats(streams: Streams, flags: StoreFlags, { stats }: StoreReply): void {
  if (!stats) throw new UsageError('the store did not answer');
  show(streams, flags, stats, [
    `revision            ${stats.revision}`,
    `compacted revision  ${stats.compactedRevision}`,
    `keys                ${stats.keys}`,
    `on disk             ${megabytes(stats.bytes)}`,
  ]);
}

async function check(flags: StoreFlags, streams: Streams): Promise<number> {
  const reply = await (await admin()).onStore(place(flags), systemClock, { action: 'check' });
  const found = reply.check;
  if (!found) throw new UsageError('the store did not answer');
  show(streams, flags, found, [
    `revision ${found.revision}, compacted ${found.compactedRevision}: ${found.keys} keys, ${found.historic} records of history`,
    ...(found.faults.length === 0 ? ['the store is sound'] : []),
  ]);
  for (const fault of found.faults) complain(streams, fault);
  return found.faults.length === 0 ? 0 : 1;
}

async function compact(flags: StoreFlags, streams: Streams): Promise<void> {
  const { onStore, defragmentStore } = await admin();
  const where = place(flags);
  if (flags.defrag && where.etcd) throw new UsageError('--defrag is for the embedded store; see etcdctl defrag');
  showStats(streams, flags, await onStore(where, systemClock, { action: 'compact', revision: flags.rev ?? 0 }));
  if (!flags.defrag) return;
  const { before, after } = await defragmentStore(where.dataDir, systemClock);
  say(streams, `tables rewritten: ${megabytes(before)} before, ${megabytes(after)} after`);
}

async function snapshot(file: string, flags: StoreFlags, streams: Streams): Promise<void> {
  const { onStore } = await admin();
  const request = { action: 'snapshot', file: resolve(file), revision: flags.rev ?? 0 } as const;
  const { snapshot: made } = await onStore(place(flags), systemClock, request);
  if (!made) throw new UsageError('the store did not answer');
  show(streams, flags, made, [`${made.entries} keys as of revision ${made.revision} are in ${file}`]);
}

const needEtcd = (flags: StoreFlags) => {
  const etcd = etcdAccess(flags);
  if (!etcd) throw new UsageError('name the etcd with --etcd-endpoints');
  return etcd;
};

/** `coracle store …`: looks after the store of a data directory, whether its cluster runs or not, or after an etcd. */
export const storeCommand: CommandBuilder = (program, streams, exit) => {
  const store = program.command('store').description('look after the store: snapshots, checks, compaction, etcd');
  const add = (name: string, description: string): Command =>
    addEtcdFlags(
      store
        .command(name)
        .description(description)
        .option('--data-dir <dir>', 'the data directory', defaultDataDir(streams.env))
        .option('-o, --output <format>', 'text or json', format, 'text'),
    );
  const done = async (work: Promise<unknown>): Promise<void> => {
    await work;
    exit(0);
  };
  add('stats', 'revision, keys and size').action(async (flags: StoreFlags) => {
    showStats(streams, flags, await (await admin()).onStore(place(flags), systemClock, { action: 'stats' }));
    exit(0);
  });
  add('check', 'read everything and verify checksums and revisions; exit 1 where something is wrong').action(
    async (flags: StoreFlags) => exit(await check(flags, streams)),
  );
  add('compact', 'forget history')
    .option('--rev <revision>', 'keep what this revision and later ones need (default: the present only)', revision)
    .option('--defrag', 'also rewrite the file without unused pages (the cluster must be stopped)')
    .action((flags: StoreFlags) => done(compact(flags, streams)));
  add('snapshot <file>', 'write all keys as of one revision into a file, while the cluster runs')
    .option('--rev <revision>', 'as of this revision (default: now)', revision)
    .action((file: string, flags: StoreFlags) => done(snapshot(file, flags, streams)));
  add('restore <file>', 'make the embedded store of a data directory from a snapshot').action(
    async (file: string, flags: StoreFlags) => {
      const made = await (await admin()).restoreStore(resolve(flags.dataDir), resolve(file));
      show(streams, flags, made, [`${made.entries} keys restored, revision ${made.revision}`]);
      exit(0);
    },
  );
  add('import', 'make the embedded store of a data directory from an etcd, revisions kept').action(
    async (flags: StoreFlags) => {
      const made = await (await admin()).importFromEtcd(resolve(flags.dataDir), needEtcd(flags), systemClock);
      show(streams, flags, made, [`${made.entries} keys imported, revision ${made.revision}`]);
      exit(0);
    },
  );
  add('export', 'write a stopped embedded store into an etcd that has nothing there').action(
    async (flags: StoreFlags) => {
      const made = await (await admin()).exportToEtcd(resolve(flags.dataDir), needEtcd(flags), systemClock);
      show(streams, flags, made, [`${made.entries} keys exported, etcd is at revision ${made.revision}`]);
      exit(0);
    },
  );
};
