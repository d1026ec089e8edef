import { randomBytes } from 'node:crypto';

/** The only source of chance. Inject it; nothing outside base/ may draw its own. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}

/** Kubernetes' alphabet for generated names: no vowels, no 0, 1, 3 (k8s.io/apimachinery/pkg/util/rand). */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** An integer in [0, bound). */
export function randomInt(random: Random, bound: number): number {
  return Math.floor(random.next() * bound);
}

/** `length` characters of Kubernetes' generated-name alphabet. */
export function randomSuffix(random: Random, length = 5): string {
  let text = '';
  for (let i = 0; i < length; i++) text += alphabet[randomInt(random, alphabet.length)];
  return text;
}

/** A version 4 UUID (RFC 9562). */
export function randomUuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Unpredictable randomness, buffered so that a draw costs no system call. */
export function systemRandom(): Random {
  let pool = new Uint8Array(0);
  let used = 0;
  const bytes = (length: number): Uint8Array => {
    if (length > 1024) return new Uint8Array(randomBytes(length));
    if (used + length > pool.length) {
      pool = new Uint8Array(randomBytes(4096));
      used = 0;
    }
    used += length;
    return pool.slice(used - length, used);
  };
  return {
    bytes,
    next() {
      const b = bytes(6);
      let value = 0;
      for (const byte of b) value = value * 256 + byte;
      return value / 2 ** 48;
    },
  };
}

/** Randomness that repeats for the same seed (mulberry32). Never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    bytes(length) {
      const out = new Uint8Array(length);
      for (let i = 0; i < length; i++) out[i] = Math.floor(next() * 256);
      return out;
    },
  };
}
