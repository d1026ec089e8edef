import { pullExample } from './example.ts';
import { pullRule } from './pull-rule.ts';

export const imagePullFailed = pullRule({
  id: 'image-pull-failed',
  title: 'The image cannot be pulled, for a reason not known here',
  codes: [],
  rank: 20,
  causes: ['other'],
  meaning:
    'The runtime could not get the image and says something that none of the other rules knows, or the reason is gone: the event has expired, and a kubelet before 1.32 does not repeat it in the status.',
  tell: 'Read the message. Deleting the pod makes the kubelet try, and tell, anew.',
  fix: 'Act on the message.',
  sick: [
    {
      when: 'the event with the reason has expired',
      yaml: pullExample('nginx:1.27', 'Back-off pulling image "nginx:1.27"', { bare: true }),
      says: 'expired',
    },
    {
      when: 'the message is a new one',
      yaml: pullExample('nginx:1.27', 'rpc error: code = Internal desc = the frobnicator is upset'),
      says: 'frobnicator',
    },
  ],
  claim: (it) => ({
    says: it.text
      ? `The image ${it.image} cannot be pulled: ${it.text.replace(/\.$/, '')}.`
      : `The image ${it.image} cannot be pulled; why is no longer known, since the event has expired.`,
    certainty: 'possible',
    fix: it.text ? 'Act on the message.' : 'Delete the pod: the next try tells the reason.',
    commands: it.text
      ? [`kubectl describe pod ${it.pod.ref.name} -n ${it.pod.namespace}`]
      : [`kubectl delete pod ${it.pod.ref.name} -n ${it.pod.namespace}`],
  }),
});
