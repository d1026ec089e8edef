import { computed } from '../../evidence.ts';
import { commandOf, editPodSpec, fieldOf, watchCommand } from '../../remedy.ts';
import { logRule, logsCommand } from './log-rule.ts';

export const filePermissionDenied = logRule({
  id: 'file-permission-denied',
  title: 'The program may not use a file',
  codes: ['RUN-14'],
  symptoms: ['permission denied', 'EACCES', 'Permission denied'],
  rank: 71,
  pattern:
    /(?:open|mkdir|create|stat|rename|unlink|write|touch|chown|chmod|cannot (?:create|open|touch)(?: directory)?)?\s*['"`]?(\/[^\s'"`:]+)['"`]?:?[^\n]*(?:[Pp]ermission denied|EACCES)|(?:EACCES|Permission denied|PermissionError)[^\n]*?['"](\/[^'"]+)['"]/,
  meaning:
    'The process runs as a user that may not read or write this path. Volumes belong to root unless `fsGroup` says otherwise; files of ConfigMaps and Secrets have the mode of `defaultMode`.',
  tell: 'Whether the path lies in a volume, and which user the container runs as.',
  fix: 'Set `fsGroup` (for volumes), or run as the user that owns the files.',
  logs: [
    {
      when: 'a directory cannot be made',
      log: "mkdir: cannot create directory '/var/lib/data': Permission denied\n",
      says: '/var/lib/data',
    },
    { when: 'a file cannot be opened', log: 'open /data/state.db: permission denied\n', says: '/data/state.db' },
    {
      when: 'Node.js cannot write',
      log: "Error: EACCES: permission denied, open '/app/cache/x'\n",
      says: '/app/cache/x',
    },
  ],
  claim(it, snapshot) {
    const path = it.match.slice(1).find((m) => m !== undefined);
    if (!path || /:\d+$/.test(path)) return undefined;
    const mount = it.container.spec.volumeMounts
      ?.filter((m) => path === m.mountPath || path.startsWith(`${m.mountPath.replace(/\/$/, '')}/`))
      .sort((a, b) => b.mountPath.length - a.mountPath.length)[0];
    const user = it.container.spec.securityContext?.runAsUser ?? it.pod.spec.securityContext?.runAsUser;
    const change =
      mount && user !== undefined && user !== 0 && it.pod.spec.securityContext?.fsGroup === undefined
        ? editPodSpec(snapshot, it.pod, [{ path: ['securityContext', 'fsGroup'], value: user }])
        : undefined;
    return {
      says: `Container ${it.container.name} may not use ${path}${mount ? `, which is in volume ${mount.name}` : ', a file of its image'}${user === undefined ? '' : `, as user ${user}`}.`,
      evidence: [
        ...it.evidence,
        computed(
          it.pod.ref,
          `runAsUser ${user ?? "the image's"}, fsGroup ${it.pod.spec.securityContext?.fsGroup ?? 'none'}, ${mount ? `volume ${mount.name} at ${mount.mountPath}${mount.readOnly ? ', read-only' : ''}` : 'not in a volume'}`,
        ),
      ],
      ...(mount && { field: fieldOf(it.pod, 'securityContext.fsGroup') }),
      remedy: {
        says: mount
          ? 'Give the volume to a group that the program is in: securityContext.fsGroup.'
          : 'Run as the user that owns the file, or change its owner in the image.',
        commands: change ? [commandOf(change)] : [logsCommand(it)],
        ...(change && { actions: [change] }),
        verify: watchCommand(it.pod),
      },
    };
  },
});
