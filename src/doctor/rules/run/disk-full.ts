import { persistentvolumeclaims, storageclasses } from '../../../api/generated/resources.ts';
import { computed } from '../../evidence.ts';
import { commandOf, edit } from '../../remedy.ts';
import { logRule, logsCommand } from './log-rule.ts';

export const diskFull = logRule({
  id: 'disk-full',
  title: 'The disk that the program writes to is full',
  codes: ['RUN-16'],
  symptoms: ['No space left on device', '[Errno 28]', 'ENOSPC'],
  rank: 75,
  unready: true,
  pattern:
    /(?:['"`]?(\/[^\s'"`:]+)['"`]?[^\n]*)?(?:[Nn]o space left on device|\[Errno 28\]|ENOSPC)(?:[^\n]*?['"](\/[^'"]+)['"])?/,
  meaning:
    'A write failed for lack of room: in a volume (its claim is too small), or on the node’s disk (container file systems and emptyDirs share it).',
  tell: 'Whether the path in the message lies in a volume of a claim.',
  fix: 'Enlarge the claim if its StorageClass allows it, or clean up.',
  logs: [
    {
      when: 'a database cannot write',
      log: 'could not write to file "/var/lib/postgresql/data/pg_wal/1": No space left on device\n',
      says: 'full',
    },
    {
      when: 'Python cannot write',
      log: "OSError: [Errno 28] No space left on device: '/data/out'\n",
      says: '/data/out',
    },
  ],
  claim(it, snapshot) {
    if (/inotify/.test(it.line)) return undefined;
    const { pod, container } = it;
    const path = it.match.slice(1).find((m) => m !== undefined);
    const mounts = [...(container.spec.volumeMounts ?? [])].sort((a, b) => b.mountPath.length - a.mountPath.length);
    const mount = path === undefined ? undefined : mounts.find((m) => path.startsWith(m.mountPath));
    const claimName = pod.spec.volumes?.find((v) => v.name === mount?.name)?.persistentVolumeClaim?.claimName;
    const claim = claimName === undefined ? undefined : snapshot.get(persistentvolumeclaims, claimName, pod.namespace);
    const size = claim?.status?.capacity?.['storage'];
    const grows = snapshot.get(storageclasses, claim?.spec?.storageClassName ?? '')?.allowVolumeExpansion === true;
    const where = claimName ? `claim ${claimName}${size ? ` (${size})` : ''}` : `the disk of node ${pod.spec.nodeName}`;
    return {
      says: `Container ${container.name} cannot write${path ? ` ${path}` : ''}: ${where} is full.`,
      evidence: [
        ...it.evidence,
        computed(
          pod.ref,
          claimName ? `${path} is in volume ${mount?.name}, claim ${claimName}` : 'not in a volume of a claim',
        ),
      ],
      ...(claimName
        ? { cause: `claim/${pod.namespace}/${claimName}` }
        : { because: [{ kind: 'Node', name: pod.spec.nodeName ?? '' }] }),
      fix:
        claim && grows
          ? 'Enlarge the claim; its StorageClass allows it.'
          : claim
            ? 'Clean up in the volume; its StorageClass does not let it grow.'
            : 'Clean up on the node, or bound what the pods write.',
      commands:
        claim && grows
          ? [
              commandOf(
                edit({ kind: 'PersistentVolumeClaim', namespace: pod.namespace, name: claimName ?? '' }, claim, [
                  { path: ['spec', 'resources', 'requests', 'storage'], value: 'SIZE' },
                ]),
              ),
            ]
          : [logsCommand(it)],
    };
  },
});
