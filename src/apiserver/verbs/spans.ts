import type { Live } from '../../api/resource.ts';
import { qualified } from '../../api/resource.ts';
import type { Operation } from '../core.ts';

/** Records what a write was: the API server's part and the store's, with who asked and what it had read. */
export function recordWrite(op: Operation, what: string, object: Live, revision: number, committingAt: number): void {
  const { core, request, kind, startedAt } = op;
  const { resource } = kind;
  const end = core.clock.monotonic();
  const epoch = core.clock.now() - end;
  const subject = {
    resource: qualified({ group: resource.group, resource: resource.plural }),
    ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
    name: object.metadata.name,
    uid: object.metadata.uid,
  };
  const component = 'kube-apiserver';
  core.spans.record({
    step: 'apiserver',
    what: request.subresource ? `${what} ${request.subresource}` : what,
    component,
    subject,
    start: epoch + startedAt,
    end: epoch + committingAt,
    writer: request.userAgent ? `${request.user.name} (${request.userAgent})` : request.user.name,
    ...(request.reads && { reads: request.reads }),
  });
  core.spans.record({
    step: 'store',
    what: 'commit',
    component,
    subject,
    start: epoch + committingAt,
    end: epoch + end,
    revision,
  });
}
