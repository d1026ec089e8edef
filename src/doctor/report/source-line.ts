import { unreachable } from '../../base/assert.ts';
import type { Source } from '../finding.ts';
import { show } from '../reference.ts';

/** Where a piece of evidence was read, in a few words. `now` in milliseconds. */
export function sourceLine(it: Source, now: number): string {
  switch (it.kind) {
    case 'status':
    case 'spec':
    case 'condition':
      return `${show(it.object)}${it.field ? `, ${it.field}` : `, ${it.kind}`}`;
    case 'event': {
      const times = it.count !== undefined && it.count > 1 ? `, ${it.count} times` : '';
      return `event ${it.reason} on ${show(it.object)}${it.at === undefined ? '' : `, ${ago(now - it.at)} ago`}${times}`;
    }
    case 'log':
      return `log of ${show(it.object)}, container ${it.container}${it.previous ? ', previous run' : ''}`;
    case 'absence':
      return 'looked for in the cluster';
    case 'computed':
      return `worked out for ${show(it.object)}`;
    default:
      return unreachable(it);
  }
}

/** `42s`, `7m`, `3h`, `2d`. */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)}h`;
  return `${Math.round(seconds / 86_400)}d`;
}
