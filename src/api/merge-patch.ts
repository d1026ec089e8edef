import { copyJson, type Draft, getOwn, isRecord, setOwn } from './draft.ts';

/** Applies a JSON merge patch (RFC 7386). The result shares nothing with its inputs. */
export function mergePatch(original: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return copyJson(patch);
  const out: Draft = {};
  if (isRecord(original)) {
    for (const key of Object.keys(original)) {
      if (!Object.hasOwn(patch, key)) setOwn(out, key, copyJson(original[key]));
      else if (patch[key] !== null) setOwn(out, key, mergePatch(original[key], patch[key]));
    }
  }
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value !== null && !Object.hasOwn(out, key)) setOwn(out, key, mergePatch(undefined, value));
  }
  return out;
}

/** The smallest merge patch that turns `from` into `to`; both without nulls. */
export function diffMergePatch(from: Draft, to: Draft): Draft {
  const patch: Draft = {};
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) setOwn(patch, key, null);
  for (const key of Object.keys(to)) {
    const before = getOwn(from, key);
    const after = to[key];
    if (isRecord(before) && isRecord(after)) {
      const inner = diffMergePatch(before, after);
      if (Object.keys(inner).length > 0) setOwn(patch, key, inner);
    } else if (JSON.stringify(before) !== JSON.stringify(after)) setOwn(patch, key, copyJson(after));
  }
  return patch;
}
