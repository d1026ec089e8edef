import { pullExample } from './example.ts';
import { pullRule } from './pull-rule.ts';

export const imagePullThrottled = pullRule({
  id: 'image-pull-throttled',
  title: 'The kubelet holds back pulls',
  codes: ['IMG-21'],
  symptoms: ['pull QPS exceeded'],
  rank: 30,
  causes: ['throttled'],
  meaning:
    'The kubelet starts only so many pulls a second (`registryPullQPS`, `registryBurst`). The message hides what went wrong before; where an older event still has the real error, that is shown instead.',
  tell: '`pull QPS exceeded` and no other `Failed to pull image` event.',
  fix: 'Wait for the next try, and look again: the real reason follows. Raise `registryPullQPS` only when many pods start at once as a rule.',
  sick: [
    {
      when: 'nothing but the throttling is known',
      yaml: pullExample('nginx:1.27', 'pull QPS exceeded'),
      says: 'holds back',
    },
  ],
  claim: (it) => ({
    says: `The kubelet of node ${it.pod.spec.nodeName} holds back pulls for now, which hides why ${it.image} did not come before.`,
    certainty: 'possible',
    fix: 'Ask again in a minute: the next try shows the reason.',
    commands: [`kubectl get events -n ${it.pod.namespace} --field-selector involvedObject.name=${it.pod.ref.name}`],
  }),
});
