import { fromSpec } from '../../evidence.ts';
import { fieldOf } from '../../remedy.ts';
import { refusedExample } from './example.ts';
import { refusedRule } from './simple.ts';

export const sysctlForbidden = refusedRule(
  {
    id: 'sysctl-forbidden',
    title: 'The kubelet does not allow the sysctl',
    codes: ['CRT-24'],
    symptoms: ['SysctlForbidden'],
    lint: 'never',
    meaning:
      'Only a short list of sysctls is safe for every pod. Others are allowed on nodes whose kubelet says so (`allowedUnsafeSysctls`), and this one does not.',
    tell: 'Phase Failed, reason `SysctlForbidden`; the controller makes one pod after the other.',
    fix: 'Remove the sysctl, allow it on certain nodes and send the pod there, or set it on the node itself.',
    sick: [
      {
        when: 'the sysctl is not allowed',
        yaml: refusedExample(
          'SysctlForbidden',
          'forbidden sysctl: "net.core.somaxconn" not allowlisted',
          '  securityContext: {sysctls: [{name: net.core.somaxconn, value: "1024"}]}',
        ),
        says: 'net.core.somaxconn',
      },
    ],
    healthy: [],
    fault: {
      manifest:
        '\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext: {sysctls: [{name: net.core.somaxconn, value: "1024"}]}\n  containers: [{name: app, image: busybox:1.36, command: [sleep, "3600"]}]\n',
      runtimes: ['sim', 'containerd'],
      fixable: false,
    },
  },
  ['SysctlForbidden'],
  ({ pod, message }) => {
    const name = /forbidden sysctl: "([^"]+)"/.exec(message)?.[1] ?? '';
    return {
      says: `The kubelet of node ${pod.spec.nodeName} refuses the pod: its sysctl ${name} is not among those allowed.`,
      evidence: [
        fromSpec(
          pod.ref,
          `sysctls: ${(pod.spec.securityContext?.sysctls ?? []).map((it) => `${it.name}=${it.value}`).join(', ')}`,
          'spec.securityContext.sysctls',
        ),
      ],
      field: fieldOf(pod, 'securityContext.sysctls'),
      remedy: {
        says: `Remove ${name}, or add it to allowedUnsafeSysctls of the kubelets that are to run such pods.`,
        commands: [`kubelet --allowed-unsafe-sysctls '${name}'   # in the kubelet's configuration, on chosen nodes`],
      },
    };
  },
);
