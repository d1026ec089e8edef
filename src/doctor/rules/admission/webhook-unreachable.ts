import { refusalRule, refusedExample } from './refused.ts';

export const webhookUnreachable = refusalRule(
  {
    id: 'webhook-unreachable',
    title: 'An admission webhook does not answer',
    codes: ['ADM-20', 'ADM-21'],
    symptoms: ['FailedCreate', 'failed calling webhook', 'no endpoints available for service', 'x509'],
    rank: 94,
    meaning:
      'A webhook with `failurePolicy: Fail` has to be asked before such objects are stored. Its server is down, cannot be reached or has a certificate that is not trusted; so nothing that it guards can be created.',
    tell: '`failed calling webhook "NAME": failed to call webhook: Post "https://SERVICE.NS.svc:443/…": …`.',
    fix: 'Bring its server back; as a stop-gap, `failurePolicy: Ignore` or leave namespaces out.',
    sick: [
      {
        when: 'its Service has no endpoints',
        yaml: refusedExample(
          'Internal error occurred: failed calling webhook "validate.example.com": failed to call webhook: Post "https://hook.policy.svc:443/validate?timeout=10s": no endpoints available for service "hook"',
        ),
        says: 'no endpoints available',
      },
    ],
  },
  /failed calling webhook "([^"]+)": (?:failed to call webhook: )?(?:Post "https:\/\/([\w-]+)\.([\w-]+)\.svc[^"]*": )?(.*)$/s,
  (_it, match) => {
    const [, hook = '', service, namespace, why = ''] = match;
    const certificate = /x509|certificate/.test(why);
    return {
      says: `The admission webhook ${hook} ${certificate ? 'has a certificate that the API server does not trust' : 'does not answer'} (${why.trim()}), and until it does nothing that it guards can be created.`,
      cause: `webhook/${hook}`,
      remedy: {
        says: certificate
          ? 'Renew its certificate, or the caBundle of its configuration.'
          : `Repair its server${service ? ` (Service ${namespace}/${service})` : ''}.`,
        commands: [
          ...(service ? [`kubectl get pods,endpointslices -n ${namespace}`] : []),
          `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o json | jq -r '.items[] | select(.webhooks[].name=="${hook}") | .kind + "/" + .metadata.name'`,
        ],
      },
    };
  },
);
