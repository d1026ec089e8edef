import { fieldOf } from '../../remedy.ts';
import { creatingExample } from './example.ts';
import { creatingRule } from './simple.ts';

export const runtimeHandlerMissing = creatingRule(
  {
    id: 'runtime-handler-missing',
    title: "The node does not have the RuntimeClass's runtime",
    codes: ['CRT-23'],
    symptoms: ['FailedCreatePodSandBox', 'no runtime for "…" is configured'],
    lint: 'never',
    rank: 92,
    meaning:
      'The RuntimeClass names a handler (gVisor, Kata) that the container runtime of this node is not configured for.',
    tell: '`no runtime for "HANDLER" is configured`.',
    fix: 'Configure the handler on the node, or let the RuntimeClass choose nodes that have it (`scheduling.nodeSelector`).',
    sick: [
      {
        when: 'the handler is not configured',
        yaml: `${creatingExample('FailedCreatePodSandBox', 'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "runsc" is configured', '  runtimeClassName: gvisor')}---\nkind: RuntimeClass\nmetadata: {name: gvisor}\nhandler: runsc\n`,
        says: 'runsc',
      },
    ],
    healthy: [],
  },
  ['FailedCreatePodSandBox'],
  /no runtime for "([^"]+)" is configured|runtime handler "([^"]+)" not (?:found|supported)/i,
  ({ pod, match }) => ({
    says: `The container runtime of node ${pod.spec.nodeName} has no handler ${match[1] ?? match[2]}, which the RuntimeClass ${pod.spec.runtimeClassName ?? ''} asks for.`,
    field: fieldOf(pod, 'runtimeClassName'),
    cause: `handler/${match[1] ?? match[2]}`,
    remedy: {
      says: 'Configure the handler on the nodes, or keep such pods to nodes that have it.',
      commands: [
        `kubectl get runtimeclass ${pod.spec.runtimeClassName ?? ''} -o yaml`,
        `kubectl get node ${pod.spec.nodeName} -o jsonpath='{.status.runtimeHandlers[*].name}'`,
      ],
    },
  }),
);
