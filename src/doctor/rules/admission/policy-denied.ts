import { refusalRule, refusedExample } from './refused.ts';

export const policyDenied = refusalRule(
  {
    id: 'policy-denied',
    title: 'A policy of the cluster refuses the pod',
    codes: ['ADM-19'],
    symptoms: ['FailedCreate', 'admission webhook "…" denied the request', 'ValidatingAdmissionPolicy'],
    meaning:
      'Somebody made a rule for this cluster (Kyverno, Gatekeeper, a ValidatingAdmissionPolicy), and the pods break it.',
    tell: 'The text names the webhook or policy and, mostly, what it wants.',
    fix: 'Do as the policy says, or talk to who made it.',
    sick: [
      {
        when: 'a webhook denies it',
        yaml: refusedExample(
          'admission webhook "validate.kyverno.svc-fail" denied the request: resource Pod/default/web-1 was blocked due to the following policies: require-labels: label team is required',
        ),
        says: 'label team is required',
      },
    ],
  },
  /admission webhook "([^"]+)" denied the request: (.*)$|ValidatingAdmissionPolicy '([^']+)' with binding '[^']+' denied request: (.*)$/s,
  ({ workload }, match) => ({
    says: `The policy ${match[1] ?? match[3]} refuses the pods of ${workload.name}: ${(match[2] ?? match[4] ?? '').trim().replace(/\.$/, '')}.`,
    cause: `policy/${match[1] ?? match[3]}`,
    remedy: {
      says: 'Do as the policy says.',
      commands: [`kubectl get ${workload.kind.toLowerCase()} ${workload.name} -n ${workload.namespace} -o yaml`],
    },
  }),
);
