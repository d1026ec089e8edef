import { KubectlError } from './errors.ts';

/** Seconds in a Go duration such as `90s`, `5m`, `2h30m`, `0`. */
export function durationSeconds(text: string): number {
  if (text === '0') return 0;
  const unit: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text)
    throw new KubectlError(`invalid duration "${text}"`);
  return parts.reduce((sum, [, amount, name]) => sum + Number(amount) * (unit[name ?? ''] ?? 0), 0);
}
