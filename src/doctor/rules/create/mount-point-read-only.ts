import { containerField } from '../../remedy.ts';
import { runc, startExample } from './example.ts';
import { startRule } from './simple.ts';

export const mountPointReadOnly = startRule(
  {
    id: 'mount-point-read-only',
    title: 'The place to mount at cannot be made',
    codes: ['CRT-12'],
    symptoms: ['StartError', 'RunContainerError', 'read-only file system'],
    lint: 'never',
    meaning:
      'The runtime has to make the directory or file that a volume is mounted at, and cannot: the path lies below another volume that is read-only (every ConfigMap and Secret volume is).',
    tell: '`create mountpoint … read-only file system`.',
    fix: 'Mount beside the read-only volume instead of below it, or use one projected volume for both.',
    sick: [
      {
        when: 'a mount lies below a ConfigMap volume',
        yaml: startExample({
          reason: 'StartError',
          ended: true,
          message: runc(
            'error during container init: error mounting "/var/lib/kubelet/pods/1/volumes/kubernetes.io~empty-dir/cache" to rootfs at "/etc/conf/cache": create mountpoint for /etc/conf/cache mount: mkdirat /run/containerd/rootfs/etc/conf/cache: read-only file system',
          ),
          spec: '  volumes: [{name: cache, emptyDir: {}}, {name: tmp, emptyDir: {}}]',
          container:
            '    volumeMounts: [{name: tmp, mountPath: /etc/conf, readOnly: true}, {name: cache, mountPath: /etc/conf/cache}]',
        }),
        says: '/etc/conf/cache',
      },
    ],
    healthy: [],
  },
  /to rootfs at "([^"]+)":.*(?:read-only file system)/,
  ({ pod, container, match }) => {
    const path = match[1] ?? '';
    const outer = (container.spec.volumeMounts ?? []).find(
      (it) => it.mountPath !== path && path.startsWith(`${it.mountPath.replace(/\/$/, '')}/`),
    );
    return {
      says: `A volume is to be mounted at ${path} of container ${container.name}, below ${outer ? `the read-only mount ${outer.mountPath} (volume ${outer.name})` : 'a read-only file system'}, where no directory can be made for it.`,
      field: containerField(pod, container, 'volumeMounts'),
      remedy: {
        says: 'Mount it elsewhere, or put both into one projected volume.',
        commands: ['kubectl explain pod.spec.volumes.projected.sources'],
      },
    };
  },
);
