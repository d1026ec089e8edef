import { serviceaccounts } from '../../../api/generated/resources.ts';
import { fromAbsence, listed, namesIn } from '../../evidence.ts';
import { nearestOne } from '../../text/nearest.ts';
import { refusalRule, refusedExample, refusedFault } from './refused.ts';

export const serviceAccountMissing = refusalRule(
  {
    id: 'service-account-missing',
    title: 'The service account does not exist',
    codes: ['ADM-16'],
    symptoms: ['FailedCreate', 'error looking up service account'],
    meaning: 'The template names a ServiceAccount that is not in the namespace; without it no pod is created.',
    tell: '`error looking up service account NS/NAME: serviceaccount "NAME" not found`.',
    fix: 'Create the service account, or correct its name.',
    sick: [
      {
        when: 'it is not there',
        yaml: `${refusedExample('pods "web-1" is forbidden: error looking up service account default/getdata: serviceaccount "getdata" not found')}---\nkind: ServiceAccount\nmetadata: {name: get-data}\n`,
        says: 'did you mean get-data',
      },
    ],
    fault: {
      manifest: refusedFault(
        'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: get-data}\n',
        '      serviceAccountName: getdata',
      ),
      runtimes: ['sim', 'containerd'],
      fixable: true,
    },
  },
  /error looking up service account ([^/]+)\/([^:]+): serviceaccount "[^"]+" not found/,
  ({ workload, namespace, snapshot }, match) => {
    const name = match[2] ?? '';
    const names = namesIn(snapshot, serviceaccounts, namespace);
    const near = nearestOne(name, names);
    return {
      says: `The pods of ${workload.name} are to run as the service account ${name}, which is not in namespace ${namespace}${near ? ` (did you mean ${near}?)` : ''}.`,
      evidence: [fromAbsence({ kind: 'ServiceAccount', namespace, name }, listed(names))],
      cause: `serviceaccount/${namespace}/${name}`,
      field: { object: workload, path: 'spec.template.spec.serviceAccountName' },
      remedy: {
        says: near ? `Write ${near}, or create ${name}.` : 'Create it, or correct the name.',
        commands: [`kubectl create serviceaccount ${name} -n ${namespace}`],
        ...(near &&
          workload.kind !== 'Job' && {
            actions: [
              {
                kind: 'patch' as const,
                target: workload,
                operations: [{ op: 'replace' as const, path: '/spec/template/spec/serviceAccountName', value: near }],
              },
            ],
          }),
        verify: `kubectl get ${workload.kind.toLowerCase()} ${workload.name} -n ${namespace}`,
      },
    };
  },
);
