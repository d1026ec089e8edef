import { clusterroles, rolebindings, roles } from '../../../api/generated/resources.ts';
import { computed } from '../../evidence.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { logRule, logsCommand } from './log-rule.ts';

/** How the API server refuses a ServiceAccount. */
const pattern =
  /(\S+) is forbidden: User "system:serviceaccount:([^:"]+):([^"]+)" cannot (\w+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)"| at the cluster scope)?/;

/** Rules that the account has already, as text. */
function granted(snapshot: Snapshot, pod: PodFacts, account: string): readonly string[] {
  return snapshot
    .in(rolebindings, pod.namespace)
    .filter((it) => it.subjects?.some((s) => s.kind === 'ServiceAccount' && s.name === account))
    .flatMap((it) => {
      const { kind, name } = it.roleRef;
      const role = kind === 'Role' ? snapshot.get(roles, name, pod.namespace) : snapshot.get(clusterroles, name);
      return (role?.rules ?? []).map(
        (rule) => `${kind} ${name}: ${rule.verbs.join(',')} ${rule.resources?.join(',') ?? ''}`,
      );
    });
}

export const rbacForbidden = logRule({
  id: 'rbac-forbidden',
  title: 'The ServiceAccount may not do what the program asks',
  codes: ['RUN-24'],
  symptoms: ['is forbidden: User "system:serviceaccount:…" cannot …'],
  rank: 80,
  unready: true,
  pattern,
  meaning:
    'The program talks to the API server as its ServiceAccount, and no Role bound to that account allows this verb on this resource.',
  tell: 'The message names account, verb, resource and namespace: all that a Role needs.',
  fix: 'Grant exactly that with a Role and a RoleBinding.',
  logs: [
    {
      when: 'it may not list pods',
      log: 'Failed to watch *v1.Pod: pods is forbidden: User "system:serviceaccount:default:default" cannot list resource "pods" in API group "" in the namespace "default"\n',
      says: 'cannot list pods',
    },
  ],
  claim(it, snapshot) {
    const [, , namespace = '', account = '', verb = '', resource = '', group = '', where] = it.match;
    const name = `${account}-${resource.replace('/', '-')}`;
    const full = group ? `${resource}.${group}` : resource;
    const has = granted(snapshot, it.pod, account);
    const [role, binding, flag] = where
      ? (['role', 'rolebinding', ` -n ${where}`] as const)
      : (['clusterrole', 'clusterrolebinding', ''] as const);
    return {
      says: `ServiceAccount ${namespace}/${account} cannot ${verb} ${full}${where ? ` in namespace ${where}` : ' in the whole cluster'}, which container ${it.container.name} needs.`,
      certainty: 'certain',
      evidence: [
        ...it.evidence,
        computed(
          { kind: 'ServiceAccount', namespace, name: account },
          `granted in its namespace: ${has.slice(0, 6).join('; ') || 'nothing'}`,
        ),
      ],
      cause: `${namespace}/${account}/${verb}/${full}/${where ?? ''}`,
      fix: `Allow it with a ${where ? 'Role' : 'ClusterRole'}.`,
      commands: [
        `kubectl create ${role} ${name}${flag} --verb=${verb === 'list' ? 'get,list,watch' : verb} --resource=${full}`,
        `kubectl create ${binding} ${name}${flag} --${role}=${name} --serviceaccount=${namespace}:${account}`,
        logsCommand(it),
      ],
    };
  },
});
