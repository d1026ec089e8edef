import { type FieldError, forbiddenField } from '../../api/field-error.ts';
import type { ResourceResult } from '../../api/handler.ts';
import type { Live } from '../../api/resource.ts';
import { invalidObject } from '../../api/status.ts';
import { type Operation, toVersion } from '../core.ts';
import { parseRevision, readyFor } from './get.ts';
import { selectionOf } from './selection.ts';

/** watch: present objects first where no resourceVersion (or 0) is given or sendInitialEvents asks for them; else what came after it. */
export async function watch(op: Operation): Promise<ResourceResult> {
  const { kind, stored, request, core } = op;
  const { options, signal } = request;
  checkOptions(op);
  const selection = selectionOf(stored.kind, options);
  const initial = options.sendInitialEvents === true;
  const { resourceVersion = '' } = options;
  if (resourceVersion === '' || initial)
    await readyFor(op, initial && resourceVersion !== '0' ? resourceVersion : undefined);
  else if (stored.loading) await stored.loading;
  const revision = resourceVersion === '' ? 0 : parseRevision(resourceVersion);
  const namespace = op.namespace !== '' ? op.namespace : selection.namespace;
  const name = request.name ?? selection.name;
  const fromNow = initial || (revision === 0 && options.sendInitialEvents !== false);
  const watcher = stored.cache.watch(
    {
      bookmarks: options.allowWatchBookmarks === true,
      ...(namespace !== undefined && kind.resource.namespaced && { namespace }),
      ...(name !== undefined && { name }),
      ...(selection.matches && { matches: selection.matches }),
      ...(kind !== stored.kind && { convert: (object: Live) => toVersion(kind, stored, object) }),
    },
    fromNow
      ? { type: 'now', endBookmark: initial && options.allowWatchBookmarks === true }
      : { type: 'after', revision: revision === 0 ? core.storage.revision() : revision },
    core.storage.revision,
  );
  if (options.timeoutSeconds !== undefined && options.timeoutSeconds > 0) {
    const timer = core.clock.after(
      options.timeoutSeconds * 1000,
      () => {
        watcher.bookmark(core.storage.revision());
        watcher.end();
      },
      { background: true },
    );
    watcher.onEnd(timer.cancel);
  }
  if (signal) {
    if (signal.aborted) watcher.end();
    else {
      signal.addEventListener('abort', watcher.end, { once: true });
      watcher.onEnd(() => signal.removeEventListener('abort', watcher.end));
    }
  }
  return { type: 'watch', stream: watcher };
}

function checkOptions(op: Operation): void {
  const { sendInitialEvents, resourceVersionMatch } = op.request.options;
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined) {
    if (resourceVersionMatch === undefined) {
      errors.push(
        forbiddenField(
          'resourceVersionMatch',
          'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
        ),
      );
    } else if (resourceVersionMatch !== 'NotOlderThan') {
      errors.push(
        forbiddenField(
          'resourceVersionMatch',
          'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
        ),
      );
    }
  } else if (resourceVersionMatch !== undefined) {
    errors.push(
      forbiddenField(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ),
    );
  }
  if (errors.length > 0) throw invalidObject('meta.k8s.io', 'ListOptions', '', errors);
}
