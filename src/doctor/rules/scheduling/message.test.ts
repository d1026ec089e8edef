import { expect, test } from 'vitest';
import { clausesOf } from './message.ts';

test.each([
  [
    "0/4 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {dedicated: gpu}, 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.",
    [
      '1|Insufficient cpu',
      '1|node(s) had untolerated taint {dedicated: gpu}',
      "2|node(s) didn't match Pod's node affinity/selector",
    ],
  ],
  [
    '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    ['1|Insufficient cpu'],
  ],
  [
    '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
    ['|pod has unbound immediate PersistentVolumeClaims'],
  ],
  [
    '0/3 nodes are available: persistentvolumeclaim "data" not found. not found',
    ['|persistentvolumeclaim "data" not found. not found'],
  ],
  ['no nodes available to schedule pods', ['0|no nodes available to schedule pods']],
  ['running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded', []],
])('reads %s', (message, clauses) => {
  expect(clausesOf(message).map((it) => `${it.nodes ?? ''}|${it.text}`)).toEqual(clauses);
});
