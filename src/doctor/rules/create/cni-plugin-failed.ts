import { creatingExample } from './example.ts';
import { creatingRule } from './simple.ts';

export const cniPluginFailed = creatingRule(
  {
    id: 'cni-plugin-failed',
    title: 'The network plugin fails',
    codes: ['CRT-20'],
    symptoms: ['FailedCreatePodSandBox', 'failed to setup network for sandbox'],
    lint: 'never',
    rank: 70,
    meaning:
      'The CNI plugin was called to give the pod its network and gave an error: its agent on the node is down, cannot reach the API server, or has lost its state.',
    tell: '`failed to setup network for sandbox … plugin type="NAME" failed (add): …`.',
    fix: 'Look at the pod of the network add-on on that node, and its log.',
    sick: [
      {
        when: 'the plugin cannot reach its agent',
        yaml: creatingExample(
          'FailedCreatePodSandBox',
          'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "1": plugin type="calico" failed (add): error getting ClusterInformation: connection is unauthorized: Unauthorized',
        ),
        says: 'calico',
      },
    ],
    healthy: [],
  },
  ['FailedCreatePodSandBox'],
  /failed to setup network for sandbox "[^"]*": plugin type="([^"]+)" failed \(add\): (.*)$/s,
  ({ pod, match }) => ({
    says: `The network plugin ${match[1]} of node ${pod.spec.nodeName} fails: ${match[2]?.trim()}.`,
    cause: `cni/${pod.spec.nodeName}/${match[1]}`,
    remedy: {
      says: `Look at the ${match[1]} pod on node ${pod.spec.nodeName} and at its log.`,
      commands: [`kubectl get pods -n kube-system -o wide --field-selector spec.nodeName=${pod.spec.nodeName}`],
    },
  }),
);
