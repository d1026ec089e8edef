import { deploymentManifest } from '../example-pods.ts';
import { serviceOf } from './dependency-refused.ts';
import { logRule, logsCommand } from './log-rule.ts';

const pattern =
  /lookup ([\w.-]+)(?: on [\d.:[\]a-f]+)?: no such host|getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)|could not translate host name "([^"]+)"|(?:Name or service not known|nodename nor servname provided|Name does not resolve|Temporary failure in name resolution|bad address|Unknown host|UnknownHostException:|Could not resolve host:?)[: '"]*([\w.-]+)?|NXDOMAIN[: ]+([\w.-]+)?/;

/** The host that a line of a log says cannot be found; undefined when it names none. */
export const unknownHost = (match: RegExpExecArray): string | undefined =>
  match.slice(1).find((it) => it !== undefined);
export const unknownHostPattern = pattern;

export const hostNotFound = logRule({
  id: 'host-not-found',
  title: 'The program looks for a host that does not exist',
  codes: ['RUN-11'],
  symptoms: [
    'no such host',
    'getaddrinfo ENOTFOUND',
    'could not translate host name',
    'Name or service not known',
    'NXDOMAIN',
  ],
  rank: 66,
  unready: true,
  pattern,
  meaning:
    'The name server answered that there is no such name. Inside a cluster that is mostly a misspelt Service, or one of another namespace without `.NAMESPACE` behind its name.',
  tell: 'The name in the program’s words. When every name fails, cluster DNS itself is broken.',
  fix: 'Correct the name where it is set (variable, ConfigMap), or create the Service.',
  logs: [
    {
      when: 'Go cannot find it',
      log: 'dial tcp: lookup payments.example.invalid on 10.96.0.10:53: no such host\n',
      says: 'payments.example.invalid',
    },
    {
      when: 'Node.js cannot find it',
      log: 'Error: getaddrinfo ENOTFOUND payments.example.invalid\n',
      says: 'payments.example.invalid',
    },
  ],
  fault: {
    manifest: deploymentManifest({
      container: `command: [sh, -c, "echo 'lookup payments.example.invalid on 10.96.0.10:53: no such host'; exit 1"]`,
    }),
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 10,
  },
  claim(it, snapshot) {
    const host = unknownHost(it.match);
    if (!host || serviceOf(snapshot, it.pod.namespace, host)) return undefined;
    const source = it.container.spec.env?.findIndex((env) => env.value?.includes(host)) ?? -1;
    const variable = it.container.spec.env?.[source];
    return {
      says: `Container ${it.container.name} looks for the host ${host}, which does not exist${variable ? ` (it is set in the variable ${variable.name})` : ''}.`,
      cause: `host/${host}`,
      ...(variable && {
        field: {
          object: it.pod.workload,
          path: `${it.pod.workload.kind === 'Pod' ? 'spec' : 'spec.template.spec'}.${it.container.path}.env[${source}].value`,
        },
      }),
      commands: [
        `kubectl run dns-test -n ${it.pod.namespace} --rm -it --restart=Never --image=busybox:1.36 -- nslookup ${host}`,
        logsCommand(it),
      ],
    };
  },
});
