import { computed } from '../../evidence.ts';
import { commandOf, containerField, editPodSpec, watchCommand } from '../../remedy.ts';
import { deploymentManifest } from '../example-pods.ts';
import { logRule, logsCommand } from './log-rule.ts';

export const readOnlyFileSystem = logRule({
  id: 'read-only-file-system',
  title: 'The program writes where it may only read',
  codes: ['RUN-15'],
  symptoms: ['Read-only file system', 'EROFS'],
  rank: 76,
  pattern:
    /['"`(]?(\/[^\s'"`:)]+)['"`)]?[^\n]*(?:[Rr]ead-only file system|EROFS)|(?:EROFS|Read-only file system)[^\n]*?['"](\/[^'"]+)['"]/,
  meaning:
    'The container’s own file system is read-only (`readOnlyRootFilesystem: true`), or the volume at that place is (ConfigMaps and Secrets always are).',
  tell: 'Whether the path lies in a volume.',
  fix: 'Mount an `emptyDir` where the program writes.',
  logs: [
    {
      when: 'a pid file cannot be written',
      log: 'nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)\n',
      says: '/var/cache/nginx/client_temp',
    },
    {
      when: 'Node.js cannot write',
      log: "Error: EROFS: read-only file system, open '/tmp/x.log'\n",
      says: '/tmp/x.log',
    },
  ],
  fault: {
    manifest: deploymentManifest({
      container: `command: [sh, -c, "mkdir /work || { echo \\"mkdir: can't create directory '/work': Read-only file system\\"; exit 1; }; sleep 3600"]\nsecurityContext: {readOnlyRootFilesystem: true}`,
    }),
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 10,
  },
  claim(it, snapshot) {
    const path = it.match.slice(1).find((m) => m !== undefined);
    if (!path) return undefined;
    const mount = it.container.spec.volumeMounts
      ?.filter((m) => path.startsWith(m.mountPath))
      .sort((a, b) => b.mountPath.length - a.mountPath.length)[0];
    const root = it.container.spec.securityContext?.readOnlyRootFilesystem === true;
    const directory = path.slice(0, path.lastIndexOf('/')) || path;
    const name = `writable-${
      directory
        .replaceAll(/[^a-z0-9]+/gi, '-')
        .replace(/^-|-$/g, '')
        .toLowerCase() || 'dir'
    }`.slice(0, 63);
    const change =
      root && !mount && directory !== ''
        ? editPodSpec(snapshot, it.pod, [
            it.pod.spec.volumes
              ? { path: ['volumes', '-'], value: { name, emptyDir: {} } }
              : { path: ['volumes'], value: [{ name, emptyDir: {} }] },
          ])
        : undefined;
    const mounts = change
      ? editPodSpec(
          snapshot,
          it.pod,
          [
            it.container.spec.volumeMounts
              ? { path: ['volumeMounts', '-'], value: { name, mountPath: directory } }
              : { path: ['volumeMounts'], value: [{ name, mountPath: directory }] },
          ],
          it.container.name,
        )
      : undefined;
    const both =
      change?.kind === 'patch' && mounts?.kind === 'patch' && !path.startsWith('/bin')
        ? { ...change, operations: [...change.operations, ...mounts.operations] }
        : undefined;
    return {
      says: `Container ${it.container.name} wants to write ${path}, which is read-only: ${mount ? `volume ${mount.name} is mounted there${mount.readOnly ? ' with readOnly: true' : ' and cannot be written'}` : root ? 'readOnlyRootFilesystem is set' : 'its file system is'}.`,
      evidence: [
        ...it.evidence,
        computed(
          it.pod.ref,
          `readOnlyRootFilesystem: ${root}; ${mount ? `volume ${mount.name} at ${mount.mountPath}` : 'no volume at that path'}`,
        ),
      ],
      field: containerField(it.pod, it.container, mount ? 'volumeMounts' : 'securityContext.readOnlyRootFilesystem'),
      remedy: {
        says: `Mount an emptyDir at ${directory}, where the program writes.`,
        commands: [both ? commandOf(both) : logsCommand(it)],
        ...(both && { actions: [both] }),
        verify: watchCommand(it.pod),
      },
    };
  },
});
