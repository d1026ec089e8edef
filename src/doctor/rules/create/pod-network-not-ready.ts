import { creatingExample } from './example.ts';
import { creatingRule } from './simple.ts';

export const podNetworkNotReady = creatingRule(
  {
    id: 'pod-network-not-ready',
    title: 'The pod network of the node is not ready',
    codes: ['CRT-19', 'CRT-22'],
    symptoms: ['NetworkNotReady', 'cni plugin not initialized', 'FailedCreatePodSandBox', 'failed to find plugin'],
    lint: 'never',
    meaning:
      'The node has no working CNI configuration: no network add-on is installed, its DaemonSet does not run there, or its binaries or files are missing.',
    tell: '`cni plugin not initialized`, `failed to find plugin "…" in path [/opt/cni/bin]`, `open /run/flannel/subnet.env: no such file or directory`.',
    fix: 'Install or repair the network add-on; look at its pod on that node.',
    sick: [
      {
        when: 'no CNI is set up',
        yaml: creatingExample(
          'NetworkNotReady',
          'network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
        ),
        says: 'network of node n1',
      },
      {
        when: 'a plugin is missing',
        yaml: creatingExample(
          'FailedCreatePodSandBox',
          'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "1": plugin type="loopback" failed (add): failed to find plugin "loopback" in path [/opt/cni/bin]',
        ),
        says: 'network of node n1',
      },
    ],
    healthy: [],
  },
  ['NetworkNotReady', 'FailedCreatePodSandBox'],
  /cni plugin not initialized|NetworkPluginNotReady|failed to find plugin "[^"]+" in path|open \/run\/flannel\/subnet\.env/,
  ({ pod, match }) => ({
    says: `The pod network of node ${pod.spec.nodeName} is not set up: ${match[0]}.`,
    cause: `cni/${pod.spec.nodeName}`,
    because: [{ kind: 'Node', name: pod.spec.nodeName ?? '' }],
    remedy: {
      says: 'Install or repair the network add-on (CNI) of the cluster.',
      commands: [
        'kubectl get daemonsets -n kube-system',
        `kubectl get pods -A -o wide --field-selector spec.nodeName=${pod.spec.nodeName}`,
        `ls /etc/cni/net.d /opt/cni/bin   # on node ${pod.spec.nodeName}`,
      ],
      verify: `kubectl get node ${pod.spec.nodeName}`,
    },
  }),
);
