import { containerField } from '../../remedy.ts';
import { logRule, workloadArguments } from './log-rule.ts';

export const dataDirectoryNotEmpty = logRule({
  id: 'data-directory-not-empty',
  title: 'The data directory is not empty',
  codes: ['RUN-29'],
  symptoms: ['directory … exists but is not empty', 'lost+found'],
  rank: 77,
  pattern:
    /directory "?([^"\n]+?)"? exists but is not empty|--initialize specified but the data directory has files in it/,
  meaning:
    'A database wants an empty directory to set itself up, and a fresh volume has `lost+found` at its root (or holds the data of another version).',
  tell: 'The volume is mounted right at the data directory.',
  fix: 'Mount the volume with a `subPath`, or point the database at a directory below (`PGDATA`).',
  logs: [
    {
      when: 'Postgres finds lost+found',
      log: 'initdb: error: directory "/var/lib/postgresql/data" exists but is not empty\n',
      says: '/var/lib/postgresql/data',
    },
  ],
  claim(it) {
    const path = it.match[1] ?? it.container.spec.volumeMounts?.[0]?.mountPath ?? '';
    const index = it.container.spec.volumeMounts?.findIndex((m) => path.startsWith(m.mountPath)) ?? -1;
    return {
      says: `The database in container ${it.container.name} wants an empty directory, and ${path || 'its data directory'} is not: a volume's root holds lost+found at least.`,
      ...(index >= 0 && { field: containerField(it.pod, it.container, `volumeMounts[${index}]`) }),
      commands: [
        `kubectl set env ${workloadArguments(it.pod)} -c ${it.container.name} PGDATA=${path}/pgdata   # or a subPath in the volumeMount`,
      ],
    };
  },
});
