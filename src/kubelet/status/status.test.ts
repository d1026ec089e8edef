import { describe, expect, it } from 'vitest';
import type { V1Container, V1ContainerStatus, V1Pod, V1PodStatus } from '../../api/generated/types.ts';
import { containersReady, podInitialized, podReady } from './conditions.ts';
import { podPhase } from './phase.ts';
import { statusPatch } from './status-patch.ts';

const c = (name: string, more: Partial<V1Container> = {}): V1Container => ({ name, image: 'i', ...more });
const pod = (spec: Partial<NonNullable<V1Pod['spec']>>, status?: V1PodStatus): V1Pod => ({
  metadata: { name: 'p', namespace: 'ns', uid: 'u' },
  spec: { containers: [c('a')], restartPolicy: 'Always', ...spec },
  ...(status && { status }),
});
type State = 'run' | 'wait' | 'crash' | number;
const status = (name: string, state: State, more: Partial<V1ContainerStatus> = {}): V1ContainerStatus => ({
  name,
  image: 'i',
  imageID: '',
  restartCount: 0,
  ready: state === 'run',
  started: state === 'run',
  state:
    state === 'run'
      ? { running: {} }
      : typeof state === 'number'
        ? { terminated: { exitCode: state } }
        : { waiting: { reason: state === 'crash' ? 'CrashLoopBackOff' : 'ContainerCreating' } },
  lastState: state === 'crash' ? { terminated: { exitCode: 1 } } : {},
  ...more,
});

describe('phase', () => {
  const cases: [string, Partial<NonNullable<V1Pod['spec']>>, V1ContainerStatus[], boolean, string][] = [
    ['nothing known', {}, [], false, 'Pending'],
    ['waiting', {}, [status('a', 'wait')], false, 'Pending'],
    ['running', {}, [status('a', 'run')], false, 'Running'],
    ['crash loop', {}, [status('a', 'crash')], false, 'Running'],
    ['ended, Always', {}, [status('a', 0)], false, 'Running'],
    ['ended well, Never', { restartPolicy: 'Never' }, [status('a', 0)], false, 'Succeeded'],
    ['ended ill, Never', { restartPolicy: 'Never' }, [status('a', 1)], false, 'Failed'],
    ['ended ill, OnFailure', { restartPolicy: 'OnFailure' }, [status('a', 1)], false, 'Running'],
    ['stopped for good', {}, [status('a', 143)], true, 'Failed'],
    [
      'one of two ended, Never',
      { restartPolicy: 'Never', containers: [c('a'), c('b')] },
      [status('a', 1), status('b', 'run')],
      false,
      'Running',
    ],
    ['init runs', { initContainers: [c('i')] }, [status('i', 'run'), status('a', 'wait')], false, 'Pending'],
    [
      'init failed, Never',
      { restartPolicy: 'Never', initContainers: [c('i')] },
      [status('i', 1), status('a', 'wait')],
      false,
      'Failed',
    ],
    ['init failed, Always', { initContainers: [c('i')] }, [status('i', 1), status('a', 'wait')], false, 'Pending'],
  ];
  it.each(cases)('%s', (_, spec, statuses, terminal, expected) => {
    expect(podPhase(pod(spec), statuses, terminal, false)).toBe(expected);
  });
});

describe('conditions', () => {
  it('names what is not ready', () => {
    const it = pod({ containers: [c('a'), c('b'), c('x')] });
    expect(containersReady(it, [status('a', 'run'), status('b', 'wait')], 'Pending')).toEqual({
      type: 'ContainersReady',
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unknown status: [x], containers with unready status: [b]',
    });
  });
  it('waits for readiness gates', () => {
    const it = pod({ readinessGates: [{ conditionType: 'lb' }] });
    expect(podReady(it, [], [status('a', 'run')], 'Running').message).toBe(
      'corresponding condition of pod readiness gate "lb" does not exist.',
    );
    expect(podReady(it, [{ type: 'lb', status: 'False' }], [status('a', 'run')], 'Running')).toMatchObject({
      reason: 'ReadinessGatesNotReady',
      message: 'the status of pod readiness gate "lb" is not "True", but False',
    });
    expect(podReady(it, [{ type: 'lb', status: 'True' }], [status('a', 'run')], 'Running').status).toBe('True');
  });
  it('is initialized when init containers are done', () => {
    const it = pod({ initContainers: [c('i')] });
    expect(
      podInitialized(it, [], [status('i', 'run', { ready: false }), status('a', 'wait')], 'Pending'),
    ).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [i]',
    });
    expect(podInitialized(it, [], [status('i', 0, { ready: true }), status('a', 'run')], 'Running').status).toBe(
      'True',
    );
  });
});

describe('status patch', () => {
  const base: V1PodStatus = {
    phase: 'Running',
    podIPs: [{ ip: '1' }],
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'theirs', status: 'True' },
    ],
  };
  it('is nothing when nothing changes', () => {
    expect(statusPatch(pod({}, base), base)).toBeUndefined();
  });
  it('holds only what differs, and never the conditions of others', () => {
    expect(
      statusPatch(pod({}, base), {
        phase: 'Running',
        podIPs: [{ ip: '2' }],
        conditions: [{ type: 'Ready', status: 'False', reason: 'x' }],
      }),
    ).toEqual({
      metadata: { uid: 'u' },
      status: {
        conditions: [{ type: 'Ready', status: 'False', reason: 'x' }],
        '$setElementOrder/conditions': [{ type: 'Ready' }],
        podIPs: [{ ip: '2' }, { $patch: 'delete', ip: '1' }],
        '$setElementOrder/podIPs': [{ ip: '2' }],
      },
    });
  });
});
