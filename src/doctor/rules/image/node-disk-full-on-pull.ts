import { pullExample } from './example.ts';
import { pullRule } from './pull-rule.ts';

const image = 'acme/huge:1';

export const nodeDiskFullOnPull = pullRule({
  id: 'node-disk-full-on-pull',
  title: 'The node’s disk is full while the image is unpacked',
  codes: ['IMG-17'],
  symptoms: ['no space left on device'],
  rank: 92,
  causes: ['no-space'],
  meaning: 'The image was fetched, but its layers found no room on the node’s image disk.',
  tell: '`failed to extract layer … no space left on device`. The node often has `DiskPressure`, and other pods on it are evicted.',
  fix: 'Free space on the node (`crictl rmi --prune`), give it a larger disk, or use a smaller image.',
  sick: [
    {
      when: 'a layer finds no room',
      yaml: pullExample(
        image,
        `rpc error: code = Unknown desc = failed to pull and unpack image "docker.io/${image}": failed to extract layer (application/vnd.oci.image.layer.v1.tar+gzip sha256:0123) to overlayfs as "extract-1 sha256:0123": write /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/7/fs/data: no space left on device`,
      ),
      says: 'disk of node n1',
    },
  ],
  claim: (it) => ({
    says: `The image disk of node ${it.pod.spec.nodeName} is full: ${it.image} could not be unpacked.`,
    cause: `node/${it.pod.spec.nodeName}`,
    because: [{ kind: 'Node', name: it.pod.spec.nodeName ?? '' }],
    fix: 'Free disk space on the node, or move the pod to another one.',
    commands: [`crictl rmi --prune   # on node ${it.pod.spec.nodeName}`, `kubectl cordon ${it.pod.spec.nodeName}`],
  }),
});
