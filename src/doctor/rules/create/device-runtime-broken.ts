import { runc, startExample } from './example.ts';
import { startRule } from './simple.ts';

export const deviceRuntimeBroken = startRule(
  {
    id: 'device-runtime-broken',
    title: "The node's device driver or toolkit is broken",
    codes: ['CRT-17'],
    symptoms: ['StartError', 'nvidia-container-cli: initialization error', 'unresolvable CDI devices'],
    lint: 'never',
    meaning:
      'The hook that gives the container its GPU (or another device) failed: the driver is missing, of another version than the toolkit, or needs a reboot.',
    tell: "`nvidia-container-cli: …` or `unresolvable CDI devices …` in the runtime's error.",
    fix: 'Repair driver and toolkit on that node; restart its device plugin; keep pods away meanwhile.',
    sick: [
      {
        when: 'the toolkit cannot reach the driver',
        yaml: startExample({
          reason: 'StartError',
          ended: true,
          message: runc(
            'error during container init: error running hook #0: exit status 1, stdout: , stderr: nvidia-container-cli: initialization error: nvml error: driver not loaded',
          ),
        }),
        says: 'driver not loaded',
      },
    ],
    healthy: [],
  },
  /nvidia-container-cli: (.*?)(?:: unknown)?$|(unresolvable CDI devices [^:]*)/,
  ({ pod, match }) => ({
    says: `Node ${pod.spec.nodeName} cannot hand out its device: ${match[1] ?? match[2]}.`,
    cause: `devices/${pod.spec.nodeName}`,
    remedy: {
      says: 'Repair the driver on the node.',
      commands: [`kubectl cordon ${pod.spec.nodeName}`, 'nvidia-smi   # on the node'],
    },
  }),
);
