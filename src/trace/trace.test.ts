import { describe, expect, it } from 'vitest';
import type { V1Pod } from '../api/generated/types.ts';
import type { Span, Step } from '../api/trace.ts';
import { virtualClock } from '../base/virtual-clock.ts';
import { reconstructTrace } from './reconstruct.ts';
import { createTraceRecorder } from './recorder.ts';
import { renderTrace, showDuration, traceOf } from './render.ts';

const span = (step: Step, start: number, end: number, more: Partial<Span> = {}): Span => ({
  step,
  what: `do ${step}`,
  component: 'someone',
  subject: { resource: 'pods', namespace: 'default', name: 'web', uid: 'u1' },
  start,
  end,
  ...more,
});
const pod: V1Pod = {
  metadata: {
    name: 'web',
    namespace: 'default',
    uid: 'u1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    managedFields: [{ manager: 'kubectl-client-side-apply', operation: 'Update', time: '2026-01-01T00:00:00Z' }],
  },
  spec: { nodeName: 'n1', containers: [{ name: 'main' }] },
  status: {
    phase: 'Running',
    startTime: '2026-01-01T00:00:01Z',
    podIP: '10.244.0.5',
    conditions: [
      { type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T00:00:01Z' },
      { type: 'PodReadyToStartContainers', status: 'True', lastTransitionTime: '2026-01-01T00:00:02Z' },
      { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:04Z' },
    ],
  },
};

describe('createTraceRecorder', () => {
  it('gives back the spans of an object in order, by uid or by name', () => {
    const recorder = createTraceRecorder({ clock: virtualClock() });
    recorder.record(span('binding', 5, 6));
    recorder.record(span('apiserver', 1, 2, { subject: { resource: 'pods', namespace: 'default', name: 'web' } }));
    recorder.record(
      span('store', 2, 3, { subject: { resource: 'pods', namespace: 'default', name: 'other', uid: 'u2' } }),
    );
    const subject = { resource: 'pods', namespace: 'default', name: 'web' };
    expect(recorder.query({ ...subject, uid: 'u1' }).map((it) => it.step)).toEqual(['apiserver', 'binding']);
    expect(recorder.query(subject).map((it) => it.step)).toEqual(['apiserver', 'binding']);
  });
  it('is bounded: quiet objects go first, busy ones keep their beginning and end', () => {
    const recorder = createTraceRecorder({ clock: virtualClock(), limit: 300 });
    recorder.record(span('store', 0, 0, { subject: { resource: 'pods', name: 'quiet', uid: 'q' } }));
    for (let i = 0; i < 1000; i++) recorder.record(span('status', i, i));
    const spans = recorder.query({ resource: 'pods', name: 'web', uid: 'u1' });
    expect([spans.length, spans[0]?.start, spans.at(-1)?.start]).toEqual([256, 0, 999]);
    for (let i = 0; i < 100; i++) {
      recorder.record(span('store', i, i, { subject: { resource: 'pods', name: `p${i}`, uid: `p${i}` } }));
    }
    expect(recorder.size).toBeLessThanOrEqual(300);
    expect(recorder.query({ resource: 'pods', name: 'quiet', uid: 'q' })).toEqual([]);
  });
});

describe('renderTrace', () => {
  it('shows ten steps with times, writers and errors', () => {
    const text = renderTrace(pod, [
      span('apiserver', 1000, 1002, { component: 'kube-apiserver', writer: 'alice' }),
      span('store', 1001, 1002, { revision: 42 }),
      span('scheduler', 1005, 1006.25, { component: 'kube-scheduler', what: 'chose n1' }),
      span('kubelet', 1010, 3010, { error: 'ErrImagePull' }),
    ]);
    const lines = text.split('\n');
    expect(lines[0]).toBe('pod default/web: Running on n1, 2.01 s from first to last mark');
    expect(lines.find((it) => it.startsWith(' 1 client'))).toContain('alice');
    expect(lines.find((it) => it.startsWith(' 3 store'))).toContain('[revision 42]');
    expect(lines.find((it) => it.startsWith(' 4 scheduler'))).toMatch(
      /\+5 ms {3,}1.25 ms {3}kube-scheduler {3}chose n1/,
    );
    expect(lines.find((it) => it.startsWith(' 6 kubelet'))).toContain('✗ ErrImagePull');
    expect(lines.find((it) => it.startsWith(' 8 network'))).toContain('nothing recorded');
    expect(lines.filter((it) => /^ ?\d+ /.test(it))).toHaveLength(10);
  });
  it('counts overlapping work of a step once', () => {
    const trace = traceOf(pod, [span('runtime', 0, 100), span('runtime', 50, 150), span('runtime', 200, 210)]);
    expect(trace.steps[6]?.took).toBe(160);
  });
  it.each([
    [0.4212, '0.42 ms'],
    [37.4, '37 ms'],
    [2434, '2.43 s'],
    [192_000, '3m12s'],
  ])('%d is %s', (ms, text) => expect(showDuration(ms)).toBe(text));
});

describe('reconstructTrace', () => {
  it('reads the steps from what any cluster shows and names each source', () => {
    const spans = reconstructTrace(pod, [
      {
        metadata: { name: 'e1' },
        involvedObject: { uid: 'u1', name: 'web' },
        reason: 'Pulled',
        message: 'Container image "nginx" already present on machine',
        type: 'Normal',
        firstTimestamp: '2026-01-01T00:00:03Z',
        source: { component: 'kubelet' },
      },
      {
        metadata: { name: 'e2' },
        involvedObject: { uid: 'another', name: 'web' },
        reason: 'Pulled',
        firstTimestamp: '2026-01-01T00:00:03Z',
      },
    ]);
    expect(spans.map((it) => [it.step, it.attributes?.['source']])).toEqual([
      ['client', 'managedFields[kubectl-client-side-apply]'],
      ['apiserver', 'metadata.creationTimestamp'],
      ['store', 'metadata.creationTimestamp'],
      ['kubelet', 'status.startTime'],
      ['binding', 'condition PodScheduled'],
      ['network', 'condition PodReadyToStartContainers'],
      ['runtime', 'event'],
      ['status', 'condition Ready'],
    ]);
    expect(renderTrace(pod, spans)).toContain('mostly to the second');
  });
});
