import { parseQuantity, quantityValue } from '../../../api/quantity.ts';
import { containerField } from '../../remedy.ts';
import { logRule, workloadArguments } from './log-rule.ts';

export const nodeHeapExhausted = logRule({
  id: 'node-heap-exhausted',
  title: 'The heap of Node.js is full',
  codes: ['RUN-05'],
  symptoms: ['JavaScript heap out of memory', 'exit code 134'],
  rank: 78,
  pattern: /FATAL ERROR: .*JavaScript heap out of memory/,
  meaning: 'V8 bounds its heap by itself, whatever the container’s limit allows, and aborts when it is full.',
  tell: '`JavaScript heap out of memory` and exit code 134.',
  fix: 'Set `--max-old-space-size` to about three quarters of the memory limit.',
  logs: [
    {
      when: 'V8 gives up',
      log: 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n',
      says: 'heap',
      exit: 134,
    },
  ],
  claim(it) {
    const limit = it.container.spec.resources?.limits?.['memory'];
    const size = limit ? Math.floor((quantityValue(parseQuantity(limit)) * 0.75) / 1_048_576) : 1536;
    return {
      says: `The Node.js program in container ${it.container.name} filled its heap and aborted${limit ? `; the memory limit is ${limit}` : ''}.`,
      field: containerField(it.pod, it.container, 'env'),
      commands: [
        `kubectl set env ${workloadArguments(it.pod)} -c ${it.container.name} NODE_OPTIONS=--max-old-space-size=${size}`,
      ],
    };
  },
});
