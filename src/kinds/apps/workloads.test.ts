import { describe, expect, it } from 'vitest';
import { showFieldError } from '../../api/field-error.ts';
import type { KubeObject } from '../../api/resource.ts';
import { seededRandom } from '../../base/random.ts';
import { virtualClock } from '../../base/virtual-clock.ts';
import { cronJobKind } from '../batch/cron-job.ts';
import { cronScheduleReason } from '../batch/cron-schedule.ts';
import { jobKind } from '../batch/job.ts';
import type { Draft, KindDefinition } from '../kind.ts';
import { daemonSetKind } from './daemon-set.ts';
import { deploymentKind } from './deployment.ts';
import { replicaSetKind } from './replica-set.ts';
import { statefulSetKind } from './stateful-set.ts';

const context = {
  clock: virtualClock(),
  random: seededRandom(1),
  user: { name: 'alice', groups: [] },
  warn: () => undefined,
};
type Fields = Record<string, unknown>;

const template = (spec: Fields = {}, labels: Fields = { app: 'web' }): Fields => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image: 'nginx:1.25' }], ...spec },
});
const selecting = (more: Fields = {}): Fields => ({
  selector: { matchLabels: { app: 'web' } },
  template: template(),
  ...more,
});

function made(kind: KindDefinition, spec: Fields, metadata: Fields = {}): Draft {
  const object: Draft = {
    kind: kind.resource.kind,
    metadata: { name: 'web', namespace: 'default', uid: 'u-1', resourceVersion: '1', ...metadata },
    spec,
  };
  kind.defaults?.(object);
  kind.prepareForCreate?.(object, context);
  return object;
}
const created = (kind: KindDefinition, spec: Fields, metadata?: Fields): string[] =>
  (kind.validate?.(made(kind, spec, metadata) as KubeObject) ?? []).map(showFieldError);

function updated(kind: KindDefinition, spec: Fields, change: (object: Draft, spec: Fields) => void) {
  const old = made(kind, spec);
  const next = structuredClone(old);
  change(next, next['spec'] as Fields);
  kind.prepareForUpdate?.(next, old as KubeObject, context);
  const errors = (kind.validateUpdate?.(next as KubeObject, old as KubeObject) ?? []).map(showFieldError);
  return { errors, generation: (next['metadata'] as Fields)['generation'], next };
}

describe('defaults', () => {
  it('of deployments', () => {
    expect(made(deploymentKind, selecting())).toMatchObject({
      metadata: { generation: 1 },
      spec: {
        replicas: 1,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        template: { spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30 } },
      },
    });
  });

  it('of stateful sets', () => {
    const claim = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } };
    expect(made(statefulSetKind, selecting({ volumeClaimTemplates: [claim] }))).toMatchObject({
      spec: {
        podManagementPolicy: 'OrderedReady',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
        volumeClaimTemplates: [
          {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            spec: { volumeMode: 'Filesystem' },
            status: { phase: 'Pending' },
          },
        ],
      },
    });
  });

  it('of jobs, with labels that tie the pods to the job', () => {
    const job = made(jobKind, { template: template({ restartPolicy: 'Never' }, {}) });
    const labels = {
      'batch.kubernetes.io/controller-uid': 'u-1',
      'batch.kubernetes.io/job-name': 'web',
      'controller-uid': 'u-1',
      'job-name': 'web',
    };
    expect(job).toMatchObject({
      spec: {
        completions: 1,
        parallelism: 1,
        backoffLimit: 6,
        completionMode: 'NonIndexed',
        suspend: false,
        podReplacementPolicy: 'TerminatingOrFailed',
        selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u-1' } },
        template: { metadata: { labels } },
      },
    });
    expect(jobKind.validate?.(job as KubeObject)).toEqual([]);
  });
});

describe('creation', () => {
  it.each<[string, KindDefinition, Fields, string[]]>([
    ['a sound deployment', deploymentKind, selecting(), []],
    ['a sound stateful set', statefulSetKind, selecting({ serviceName: 'web' }), []],
    ['a sound daemon set', daemonSetKind, selecting(), []],
    [
      'a selector that misses its template',
      deploymentKind,
      selecting({ template: template({}, { app: 'other' }) }),
      ['spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`'],
    ],
    ['no selector', replicaSetKind, { template: template() }, ['spec.selector: Required value']],
    [
      'an empty selector',
      statefulSetKind,
      selecting({ selector: {} }),
      ['spec.selector: Invalid value: {}: empty selector is invalid for statefulset'],
    ],
    [
      'pods that end',
      deploymentKind,
      selecting({ template: template({ restartPolicy: 'Never' }) }),
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      'a rollout that cannot move',
      deploymentKind,
      selecting({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
    ],
    [
      'fewer than no replicas',
      deploymentKind,
      selecting({ replicas: -1 }),
      ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'a job whose pods never end',
      jobKind,
      { template: template() },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'a cron job without a schedule',
      cronJobKind,
      { jobTemplate: { spec: { template: template({ restartPolicy: 'Never' }) } } },
      ['spec.schedule: Required value'],
    ],
    [
      'a cron job in no time zone',
      cronJobKind,
      {
        schedule: '* * * * *',
        timeZone: 'Mars/Olympus',
        jobTemplate: { spec: { template: template({ restartPolicy: 'Never' }) } },
      },
      ['spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus'],
    ],
    [
      'a mount of a claim that the set makes',
      statefulSetKind,
      selecting({
        template: template({
          containers: [{ name: 'c', image: 'x', volumeMounts: [{ name: 'data', mountPath: '/d' }] }],
        }),
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      }),
      [],
    ],
  ])('%s', (_, kind, spec, expected) => {
    expect(created(kind, spec)).toEqual(expected);
  });

  it('refuses long names for cron jobs', () => {
    const spec = { schedule: '@daily', jobTemplate: { spec: { template: template({ restartPolicy: 'Never' }) } } };
    expect(created(cronJobKind, spec, { name: 'x'.repeat(53) })).toEqual([
      `metadata.name: Invalid value: "${'x'.repeat(53)}": must be no more than 52 characters`,
    ]);
  });
});

describe('updates', () => {
  it('count the generation for the spec, and for annotations of deployments', () => {
    expect(updated(deploymentKind, selecting(), () => undefined).generation).toBe(1);
    expect(updated(deploymentKind, selecting(), (_, spec) => (spec['replicas'] = 3)).generation).toBe(2);
    const annotate = (object: Draft): void => {
      (object['metadata'] as Fields)['annotations'] = { note: 'x' };
    };
    expect(updated(deploymentKind, selecting(), annotate).generation).toBe(2);
    expect(updated(replicaSetKind, selecting(), annotate).generation).toBe(1);
  });

  it('keep selectors', () => {
    const { errors } = updated(deploymentKind, selecting(), (_, spec) => {
      spec['selector'] = { matchLabels: { app: 'web', tier: 'x' } };
      spec['template'] = template({}, { app: 'web', tier: 'x' });
      deploymentKind.defaults?.({ spec });
    });
    expect(errors).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"x"}}: field is immutable',
    ]);
  });

  it('of stateful sets change a few fields alone', () => {
    const change = (_: Draft, spec: Fields): void => {
      spec['serviceName'] = 'other';
    };
    expect(updated(statefulSetKind, selecting({ serviceName: 'web' }), change).errors).toEqual([
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ]);
  });

  it('of jobs keep the template', () => {
    const { errors } = updated(jobKind, { template: template({ restartPolicy: 'Never' }) }, (_, spec) => {
      const pod = (spec['template'] as { spec: { containers: Fields[] } }).spec;
      pod.containers[0]!['image'] = 'other';
    });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^spec.template: Invalid value: .*: field is immutable$/);
  });

  it('of daemon sets count the template', () => {
    const { next } = updated(daemonSetKind, selecting(), (_, spec) => {
      spec['template'] = template({ hostname: 'x' });
      daemonSetKind.defaults?.({ spec });
    });
    expect((next['metadata'] as Fields)['annotations']).toEqual({ 'deprecated.daemonset.template.generation': '2' });
  });
});

describe('cron schedules', () => {
  it.each<[string, string | undefined]>([
    ['* * * * *', undefined],
    ['*/5 0-23/2 1,15 jan-mar mon', undefined],
    ['@hourly', undefined],
    ['@every 1h30m', undefined],
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['@never', 'unrecognized descriptor: @never'],
  ])('%s', (schedule, reason) => {
    expect(cronScheduleReason(schedule)).toBe(reason);
  });
});

describe('rows', () => {
  const now = Date.parse('2026-01-01T01:00:00Z');
  const row = (kind: KindDefinition, object: Fields): unknown[] =>
    kind.columns.filter((it) => it.priority === 0).map((it) => it.cell(object as KubeObject, now));
  const metadata = { name: 'web', creationTimestamp: '2026-01-01T00:00:00Z' };
  it.each<[string, KindDefinition, Fields, unknown[]]>([
    [
      'of a deployment',
      deploymentKind,
      { metadata, spec: { replicas: 3 }, status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2 } },
      ['web', '2/3', 3, 2, '60m'],
    ],
    [
      'of a finished job',
      jobKind,
      {
        metadata,
        spec: { completions: 1 },
        status: {
          succeeded: 1,
          startTime: '2026-01-01T00:00:00Z',
          completionTime: '2026-01-01T00:00:07Z',
          conditions: [{ type: 'Complete', status: 'True' }],
        },
      },
      ['web', 'Complete', '1/1', '7s', '60m'],
    ],
    [
      'of a cron job',
      cronJobKind,
      {
        metadata,
        spec: { schedule: '@daily', suspend: false },
        status: { active: [{}], lastScheduleTime: '2026-01-01T00:58:00Z' },
      },
      ['web', '@daily', '<none>', 'False', 1, '2m', '60m'],
    ],
  ])('%s', (_, kind, object, expected) => {
    expect(row(kind, object)).toEqual(expected);
  });
});
