import { fromSpec } from '../../evidence.ts';
import { containerField, editPodSpec } from '../../remedy.ts';
import { runc, startExample } from './example.ts';
import { startRule } from './simple.ts';

export const directoryMountedOnFile = startRule(
  {
    id: 'directory-mounted-on-file',
    title: 'A volume is mounted onto a file',
    codes: ['CRT-11'],
    symptoms: [
      'StartError',
      'RunContainerError',
      'Are you trying to mount a directory onto a file (or vice-versa)?',
      'not a directory',
    ],
    lint: 'never',
    meaning:
      'A volume is a directory. Mounted at the path of a file of the image it cannot stand there; `subPath` picks the one file out of it.',
    tell: '`error mounting "…" to rootfs at "/etc/app.conf": … not a directory`.',
    fix: 'Add `subPath: app.conf` to the mount.',
    sick: [
      {
        when: 'a ConfigMap is mounted at the path of a file',
        yaml: `${startExample({ reason: 'StartError', ended: true, message: runc('error during container init: error mounting "/var/lib/kubelet/pods/1/volumes/kubernetes.io~configmap/conf" to rootfs at "/etc/nginx/nginx.conf": mount /var/lib/kubelet/pods/1/volumes/kubernetes.io~configmap/conf:/etc/nginx/nginx.conf (via /proc/self/fd/6), flags: 0x5001: not a directory'), spec: '  volumes: [{name: conf, configMap: {name: conf}}]', container: '    volumeMounts: [{name: conf, mountPath: /etc/nginx/nginx.conf}]' })}---\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {nginx.conf: "events {}"}\n`,
        says: '/etc/nginx/nginx.conf',
      },
    ],
    healthy: [],
  },
  /error mounting "[^"]*" to rootfs at "([^"]+)":.*not a directory/,
  ({ snapshot, pod, container, match }) => {
    const path = match[1] ?? '';
    const index = (container.spec.volumeMounts ?? []).findIndex((it) => it.mountPath === path);
    const file = path.slice(path.lastIndexOf('/') + 1);
    const change =
      index >= 0
        ? editPodSpec(snapshot, pod, [{ path: ['volumeMounts', index, 'subPath'], value: file }], container.name)
        : undefined;
    const mount = container.spec.volumeMounts?.[index];
    return {
      says: `The volume ${mount?.name ?? ''} is mounted at ${path}, which is a file in the image ${container.image}; a volume is a directory.`,
      evidence: mount
        ? [fromSpec(pod.ref, `mountPath: ${path}, no subPath`, `spec.${container.path}.volumeMounts[${index}]`)]
        : [],
      field: containerField(pod, container, `volumeMounts[${index}].subPath`),
      remedy: {
        says: `Add subPath: ${file}, or mount the volume at a directory.`,
        commands: [],
        ...(change && { actions: [change] }),
      },
    };
  },
);
