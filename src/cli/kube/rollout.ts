import type { Command } from 'commander';
import type { V1PodTemplateSpec } from '../../api/generated/types.ts';
import type { KubeObject, Live, Resource } from '../../api/resource.ts';
import { rfc3339, sleep, systemClock } from '../../base/clock.ts';
import { semanticEqual } from '../../kinds/semantic-equal.ts';
import type { CommandBuilder } from '../main.ts';
import { type Streams, say } from '../output.ts';
import { shownName } from './apply.ts';
import { targetsOf } from './arguments.ts';
import { type ConnectFlags, type Connection, connect, withConnection } from './connect.ts';
import { createPage } from './describe/page.ts';
import { podTemplate } from './describe/pod-parts.ts';
import { alignTabs } from './describe/tab-writer.ts';
import { durationSeconds } from './durations.ts';
import { KubectlError } from './errors.ts';
import { discover } from './mapper.ts';
import { revisionsOf } from './rollout-history.ts';
import { rolloutState } from './rollout-status.ts';

interface RolloutFlags extends ConnectFlags {
  readonly revision?: string;
  readonly toRevision?: string;
  readonly watch: boolean;
  readonly timeout?: string;
}

interface Workload extends KubeObject {
  readonly spec?: { readonly paused?: boolean; readonly template?: V1PodTemplateSpec };
}

interface Rolled {
  readonly connection: Connection;
  readonly resource: Resource;
  readonly object: Live<Workload>;
  readonly scope: { readonly namespace?: string };
}

const strategic = 'application/strategic-merge-patch+json';

async function restart({ connection, resource, object, scope }: Rolled): Promise<string> {
  if (object.spec?.paused) {
    const what = `${resource.plural}${resource.group ? `.${resource.group}` : ''} "${object.metadata.name}"`;
    throw new KubectlError(`${what} can't restart paused deployment (run rollout resume first)`);
  }
  const annotations = { 'kubectl.kubernetes.io/restartedAt': rfc3339(systemClock.now()) };
  const patch = { spec: { template: { metadata: { annotations } } } };
  await connection.client.patch(resource, object.metadata.name, patch, {
    type: strategic,
    fieldManager: 'kubectl-rollout',
    ...scope,
  });
  return 'restarted';
}

const pausing =
  (paused: boolean) =>
  async ({ connection, resource, object, scope }: Rolled): Promise<string> => {
    if (resource.kind !== 'Deployment')
      throw new KubectlError(
        `${resource.plural} "${object.metadata.name}" ${paused ? 'pausing' : 'resuming'} is not supported`,
      );
    if ((object.spec?.paused ?? false) === paused)
      throw new KubectlError(
        `${resource.plural}.${resource.group} "${object.metadata.name}" is ${paused ? 'already' : 'not'} paused`,
      );
    await connection.client.patch(
      resource,
      object.metadata.name,
      { spec: { paused: paused || null } },
      { type: strategic, ...scope },
    );
    return paused ? 'paused' : 'resumed';
  };

/** Annotations of a Deployment that stay its own when it goes back. */
const kept = new Set(
  ['revision', 'revision-history', 'desired-replicas', 'max-replicas'].map(
    (name) => `deployment.kubernetes.io/${name}`,
  ),
)
  .add('kubectl.kubernetes.io/last-applied-configuration')
  .add('deprecated.deployment.rollback.to');

/** A ReplicaSet's template without the label that its Deployment has put on. */
const withoutHash = (template: V1PodTemplateSpec): V1PodTemplateSpec => {
  const { 'pod-template-hash': _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
};

async function undo({ connection, resource, object, scope }: Rolled, flags: RolloutFlags): Promise<string> {
  const { name, annotations: own = {} } = object.metadata;
  const revisions = await revisionsOf(connection, resource.kind, object);
  const wanted = Number(flags.toRevision ?? 0);
  const target = wanted === 0 ? revisions.at(-2) : revisions.find((one) => one.number === wanted);
  if (!target) {
    if (wanted > 0) throw new KubectlError(`unable to find specified revision ${wanted} in history`);
    throw new KubectlError(
      resource.kind === 'Deployment'
        ? `no rollout history found for deployment "${name}"`
        : 'no last revision to roll back to',
    );
  }
  if (object.spec?.paused)
    throw new KubectlError(
      "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
    );
  const template = withoutHash(target.template);
  if (semanticEqual(template, object.spec?.template))
    return `skipped rollback (current template already matches revision ${wanted})`;
  const replace = { op: 'replace', path: '/spec/template', value: template };
  const annotations = Object.fromEntries([
    ...Object.entries(own).filter(([key]) => kept.has(key)),
    ...Object.entries(target.annotations).filter(([key]) => !kept.has(key)),
  ]);
  const patch =
    resource.kind === 'Deployment'
      ? [replace, { op: 'replace', path: '/metadata/annotations', value: annotations }]
      : [replace];
  await connection.client.patch(resource, name, patch, { type: 'application/json-patch+json', ...scope });
  return 'rolled back';
}

async function history({ connection, resource, object }: Rolled, flags: RolloutFlags, streams: Streams): Promise<void> {
  const revisions = await revisionsOf(connection, resource.kind, object);
  const title = `${shownName(resource, object.metadata.name)} `;
  if (flags.revision !== undefined && Number(flags.revision) > 0) {
    const found = revisions.find((one) => one.number === Number(flags.revision));
    if (!found) throw new KubectlError('unable to find the specified revision');
    const page = createPage(false);
    podTemplate(page, found.cause ? withCause(found.template, found.cause) : found.template);
    streams.stdout.write(`${title}with revision #${flags.revision}\n${page.text()}\n`);
    return;
  }
  const rows = ['REVISION\tCHANGE-CAUSE', ...revisions.map((one) => `${one.number}\t${one.cause || '<none>'}`)];
  say(streams, title);
  say(streams, revisions.length === 0 ? 'No rollout history found.' : alignTabs(`${rows.join('\n')}\n`));
}

const withCause = (template: V1PodTemplateSpec, cause: string): V1PodTemplateSpec => ({
  ...template,
  metadata: {
    ...template.metadata,
    annotations: { ...template.metadata?.annotations, 'kubernetes.io/change-cause': cause },
  },
});

/** Prints each state of the rollout until it is done. */
async function status(
  { connection, resource, object, scope }: Rolled,
  flags: RolloutFlags,
  streams: Streams,
): Promise<void> {
  const abort = new AbortController();
  const limit = durationSeconds(flags.timeout ?? '0s');
  const revision = Number(flags.revision ?? 0);
  const timer = limit > 0 ? sleep(systemClock, limit * 1000).then(() => abort.abort()) : undefined;
  const look = (it: KubeObject): boolean => {
    const { message, done } = rolloutState(resource, it, revision);
    say(streams, message);
    return done || !flags.watch;
  };
  if (look(object)) return;
  const fieldSelector = `metadata.name=${object.metadata.name}`;
  const { resourceVersion } = object.metadata;
  try {
    for await (const batch of await connection.client.watch(resource, {
      ...scope,
      fieldSelector,
      resourceVersion,
      signal: abort.signal,
    }))
      for (const change of batch) {
        if (change.type === 'DELETED') throw new KubectlError('object has been deleted');
        if (change.type === 'MODIFIED' && look(change.object)) return;
      }
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    throw new KubectlError('timed out waiting for the condition');
  } finally {
    void timer;
    abort.abort();
  }
  throw new KubectlError('the server ended the watch before the rollout was done');
}

/** `coracle rollout status|history|undo|restart|pause|resume`: as kubectl rollout. */
export const rolloutCommand: CommandBuilder = (program, streams) => {
  const rollout = program.command('rollout').description('watch, undo and restart rollouts (as kubectl rollout)');
  const add = (name: string, description: string): Command =>
    withConnection(rollout.command(name)).description(description).argument('<what...>', 'TYPE NAME…, TYPE/NAME…');
  const each =
    (act: (it: Rolled, flags: RolloutFlags) => Promise<void>) =>
    async (what: readonly string[], flags: RolloutFlags) => {
      const connection = await connect(flags, streams);
      try {
        for (const { resource, name } of targetsOf(await discover(connection.client), what)) {
          const scope = resource.namespaced ? { namespace: connection.namespace } : {};
          const objects = name
            ? [await connection.client.get<Workload>(resource as Resource<Workload>, name, scope)]
            : (await connection.client.list<Workload>(resource as Resource<Workload>, scope)).items;
          for (const object of objects) await act({ connection, resource, object, scope }, flags);
        }
      } finally {
        connection.client.close();
      }
    };
  const saying = (act: (it: Rolled, flags: RolloutFlags) => Promise<string>) =>
    each(async (it, flags) =>
      say(streams, `${shownName(it.resource, it.object.metadata.name)} ${await act(it, flags)}`),
    );
  add('status', 'wait until a rollout is done')
    .option('--revision <n>', 'of this revision')
    .option('--no-watch', 'only how it stands now')
    .option('--timeout <duration>', 'give up after 30s, 5m', '0s')
    .action(each((it, flags) => status(it, flags, streams)));
  add('history', 'list the revisions, or show one')
    .option('--revision <n>', 'show this one')
    .action(each((it, flags) => history(it, flags, streams)));
  add('undo', 'go back to an earlier revision')
    .option('--to-revision <n>', 'this one instead of the last')
    .action(saying(undo));
  add('restart', 'replace the pods one by one').action(saying(restart));
  add('pause', 'stop rolling changes out').action(saying(pausing(true)));
  add('resume', 'go on rolling changes out').action(saying(pausing(false)));
};
