import { type ContainerStatus, CriError, type RuntimeService } from '../../runtime/cri.ts';
import type { NodeFiles } from '../../runtime/node-files.ts';
import { errorMessage } from '../go-format.ts';
import { parseLogLine } from '../server/cri-log.ts';
import {
  containerHashAnnotation,
  containerNameLabel,
  podUidLabel,
  restartCountAnnotation,
  terminationPathAnnotation,
  terminationPolicyAnnotation,
} from './labels.ts';
import type { ObservedContainer, ObservedPod } from './observed.ts';

const maxMessage = 4096;
const maxLogMessage = 2048;
const maxLogLines = 80;

/** The last lines of a container's log, as its termination message. */
async function messageFromLog(files: NodeFiles, path: string): Promise<string> {
  try {
    const stat = await files.stat(path);
    if (!stat) return '';
    const from = Math.max(0, stat.size - 64 * 1024);
    const text = (await files.readAt(path, from, stat.size - from)).toString('utf8');
    const lines = text.split('\n').slice(from > 0 ? 1 : 0);
    const parsed = lines.flatMap((line) => {
      const entry = parseLogLine(Buffer.from(line));
      return entry ? [`${entry.content.toString('utf8')}${entry.partial ? '' : '\n'}`] : [];
    });
    const out = Buffer.from(parsed.slice(-maxLogLines).join(''));
    return out.subarray(Math.max(0, out.length - maxLogMessage)).toString('utf8');
  } catch (error) {
    return `Error on reading termination message from logs: ${errorMessage(error)}`;
  }
}

/** What an ended container has to say: its file, or its log where the policy allows. Upstream: convertToKubeContainerStatus. */
async function terminationMessage(files: NodeFiles, status: ContainerStatus): Promise<string> {
  const path = status.annotations[terminationPathAnnotation] ?? '';
  const fallback =
    status.annotations[terminationPolicyAnnotation] === 'FallbackToLogsOnError' &&
    status.exitCode !== 0 &&
    status.reason !== 'ContainerCannotRun';
  let text = '';
  const mount = path === '' ? undefined : status.mounts.find((it) => it.containerPath === path);
  if (mount) {
    try {
      const stat = await files.stat(mount.hostPath);
      if (stat && stat.size > 0) {
        const from = Math.max(0, stat.size - maxMessage);
        text = (await files.readAt(mount.hostPath, from, stat.size - from)).toString('utf8');
      }
    } catch (error) {
      text = `Error on reading termination log ${mount.hostPath}: ${errorMessage(error)}`;
    }
  }
  if (text === '' && fallback) text = await messageFromLog(files, status.logPath);
  return [status.message, text].filter((it) => it !== '').join(': ');
}

const states = { CREATED: 'created', RUNNING: 'running', EXITED: 'exited', UNKNOWN: 'unknown' } as const;

/** Reads one pod from the runtime. `ended` keeps containers that can no longer change, by id. */
export async function observePod(
  runtime: RuntimeService,
  files: NodeFiles,
  uid: string,
  ended: Map<string, ObservedContainer>,
): Promise<ObservedPod> {
  const labels = { [podUidLabel]: uid };
  const [sandboxes, summaries] = await Promise.all([
    runtime.listPodSandbox({ labels }),
    runtime.listContainers({ labels }),
  ]);
  const ids = new Set(summaries.map((it) => it.id));
  for (const id of ended.keys()) if (!ids.has(id)) ended.delete(id);
  const containers = await Promise.all(
    summaries.map(async (summary): Promise<ObservedContainer | undefined> => {
      const known = ended.get(summary.id);
      if (known) return known;
      let status: ContainerStatus;
      try {
        status = await runtime.containerStatus(summary.id);
      } catch (error) {
        if (error instanceof CriError && error.code === 'NotFound') return undefined;
        throw error;
      }
      const state = states[status.state];
      const seen: ObservedContainer = {
        id: status.id,
        name: status.labels[containerNameLabel] ?? status.metadata.name,
        sandboxId: summary.podSandboxId,
        state,
        createdAt: status.createdAt,
        startedAt: status.startedAt,
        finishedAt: status.finishedAt,
        exitCode: status.exitCode,
        reason: state === 'exited' ? status.reason : '',
        message: state === 'exited' ? await terminationMessage(files, status) : '',
        hash: status.annotations[containerHashAnnotation] ?? '',
        restartCount: Number(status.annotations[restartCountAnnotation] ?? status.metadata.attempt),
        image: status.image.image,
        imageRef: status.imageRef,
        logPath: status.logPath,
        ...(status.resources && { resources: status.resources }),
        ...(status.user && { user: status.user }),
      };
      if (state === 'exited') ended.set(seen.id, seen);
      return seen;
    }),
  );
  const ordered = [...sandboxes].sort((a, b) => b.createdAt - a.createdAt || b.metadata.attempt - a.metadata.attempt);
  const newest = ordered[0];
  return {
    sandboxes: ordered.map((it) => ({
      id: it.id,
      ready: it.state === 'READY',
      attempt: it.metadata.attempt,
      createdAt: it.createdAt,
      ips: it.ips,
      hostNetwork: it.namespaceOptions.network === 'NODE',
    })),
    containers: containers
      .filter((it) => it !== undefined)
      .sort((a, b) => b.createdAt - a.createdAt || b.restartCount - a.restartCount),
    ips: newest?.state === 'READY' ? newest.ips : [],
  };
}
