/** Kubernetes' alphabet for generated names (apimachinery, util/rand). */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** 32-bit FNV-1a. */
export function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) {
    hash ^= byte;
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/** Each character mapped into the alphabet that makes no words (rand.SafeEncodeString). */
export const safeEncode = (text: string): string =>
  [...text].map((char) => alphabet[char.charCodeAt(0) % alphabet.length]).join('');

/** A text that is the same for equal JSON values, whatever the order of their fields. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`);
  return `{${fields.join(',')}}`;
}

/** A short name for a template (controller.ComputeHash): the same for the same template and collision count. */
export const templateHash = (template: unknown, collisionCount: number | undefined): string =>
  safeEncode(String(fnv32a(canonical(template) + (collisionCount === undefined ? '' : String(collisionCount)))));
