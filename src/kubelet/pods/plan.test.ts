import { describe, expect, it } from 'vitest';
import type { V1Container, V1Pod } from '../../api/generated/types.ts';
import { hashContainer, type ObservedContainer, type ObservedPod } from './observed.ts';
import { isIdle, type PlanInput, type ProbeVerdict, planPod } from './plan.ts';

const c = (name: string, more: Partial<V1Container> = {}): V1Container => ({ name, image: 'busybox', ...more });
const pod = (spec: Partial<NonNullable<V1Pod['spec']>>): V1Pod => ({
  metadata: { name: 'p', namespace: 'ns', uid: 'u' },
  spec: { containers: [c('a')], restartPolicy: 'Always', ...spec },
});
let at = 0;
const seen = (spec: V1Container, state: ObservedContainer['state'], exitCode = 0): ObservedContainer => ({
  id: `id-${spec.name}`,
  name: spec.name,
  sandboxId: 's0',
  state,
  createdAt: ++at,
  startedAt: at,
  finishedAt: state === 'exited' ? at : 0,
  exitCode,
  reason: '',
  message: '',
  hash: hashContainer(spec),
  restartCount: 0,
  image: 'busybox',
  imageRef: 'sha256:1',
  logPath: '',
});
const observed = (containers: readonly ObservedContainer[], ready = true): ObservedPod => ({
  sandboxes: [{ id: 's0', ready, attempt: 0, createdAt: 1, ips: ['10.0.0.1'], hostNetwork: false }],
  containers,
  ips: ['10.0.0.1'],
});
const plan = (
  it: V1Pod,
  obs: ObservedPod,
  probes: { liveness?: ProbeVerdict; startup?: ProbeVerdict } = {},
  more: Partial<PlanInput> = {},
) =>
  planPod({
    pod: it,
    observed: obs,
    probes: { liveness: () => probes.liveness, startup: () => probes.startup },
    restartAll: false,
    resize: () => 'keep',
    ...more,
  });

describe('planPod', () => {
  it('starts from nothing with a sandbox and the first init container', () => {
    const p = plan(pod({ initContainers: [c('i'), c('j')] }), { sandboxes: [], containers: [], ips: [] });
    expect(p).toMatchObject({ createSandbox: true, killPod: true, attempt: 0, initToStart: [0], toStart: [] });
  });
  it('is idle while all run', () => {
    expect(isIdle(plan(pod({}), observed([seen(c('a'), 'running')])))).toBe(true);
  });
  const exits: [string, string, number, number[], boolean][] = [
    ['Always', 'again after success', 0, [0], false],
    ['OnFailure', 'not again after success', 0, [], true],
    ['OnFailure', 'again after failure', 1, [0], false],
    ['Never', 'never', 1, [], true],
  ];
  it.each(exits)('%s: %s', (restartPolicy, _, code, toStart, killPod) => {
    const p = plan(pod({ restartPolicy }), observed([seen(c('a'), 'exited', code)]));
    expect(p).toMatchObject({ toStart, killPod });
  });
  it('obeys restart rules before the policy', () => {
    const a = c('a', {
      restartPolicy: 'Never',
      restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
    });
    expect(plan(pod({ containers: [a], restartPolicy: 'Never' }), observed([seen(a, 'exited', 42)])).toStart).toEqual([
      0,
    ]);
    expect(plan(pod({ containers: [a], restartPolicy: 'Never' }), observed([seen(a, 'exited', 1)])).killPod).toBe(true);
  });
  it('resets every container when a rule asks so, the one that asked last', () => {
    const a = c('a', {
      restartPolicy: 'Never',
      restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } }],
    });
    const it = pod({ containers: [a, c('b')], restartPolicy: 'Never' });
    const p = plan(it, observed([seen(a, 'exited', 42), seen(c('b'), 'running')]), {}, { restartAll: true });
    expect(p.toReset.map((r) => [r.container.name, r.kill])).toEqual([
      ['b', true],
      ['a', false],
    ]);
  });
  it('makes a new sandbox when the old one is gone, and not when the pod is done', () => {
    expect(plan(pod({}), observed([seen(c('a'), 'exited')], false))).toMatchObject({
      createSandbox: true,
      attempt: 1,
      toStart: [0],
    });
    expect(plan(pod({ restartPolicy: 'Never' }), observed([seen(c('a'), 'exited')], false))).toMatchObject({
      createSandbox: false,
      killPod: true,
    });
  });
  it('says why it kills', () => {
    const running = observed([seen(c('a'), 'running')]);
    expect(plan(pod({}), running, { liveness: 'failure' }).toKill[0]).toMatchObject({
      message: 'Container a failed liveness probe, will be restarted',
      reason: 'LivenessProbe',
    });
    expect(plan(pod({ restartPolicy: 'Never' }), running, { startup: 'failure' }).toKill[0]?.message).toBe(
      'Container a failed startup probe',
    );
    expect(plan(pod({ containers: [c('a', { image: 'other' })] }), running).toKill[0]?.message).toBe(
      'Container a definition changed, will be restarted',
    );
  });
  it('walks through init containers and waits for sidecars', () => {
    const side = c('s', { restartPolicy: 'Always', startupProbe: {} });
    const it = pod({ initContainers: [c('i'), side] });
    expect(plan(it, observed([seen(c('i'), 'running')])).initToStart).toEqual([]);
    expect(plan(it, observed([seen(c('i'), 'exited')])).initToStart).toEqual([1]);
    expect(plan(it, observed([seen(side, 'running'), seen(c('i'), 'exited')])).toStart).toEqual([]);
    expect(plan(it, observed([seen(side, 'running'), seen(c('i'), 'exited')]), { startup: 'success' }).toStart).toEqual(
      [0],
    );
    expect(plan(it, observed([seen(c('a'), 'running'), seen(side, 'exited', 1)])).initToStart).toEqual([1]);
  });
  it('ends a pod whose init container failed for good', () => {
    const it = pod({ initContainers: [c('i')], restartPolicy: 'Never' });
    expect(plan(it, observed([seen(c('i'), 'exited', 1)]))).toMatchObject({
      killPod: true,
      initToStart: [],
      toStart: [],
    });
  });
  it('starts an ephemeral container once', () => {
    const it = pod({ ephemeralContainers: [{ name: 'd', image: 'busybox' }] });
    expect(plan(it, observed([seen(c('a'), 'running')])).ephemeralToStart).toEqual([0]);
    expect(plan(it, observed([seen(c('a'), 'running'), seen(c('d'), 'exited')])).ephemeralToStart).toEqual([]);
  });
});
