import { type Random, randomUuid } from '../../base/random.ts';

/** Gives each request an id of a UUID's form: a random beginning for the process, then a count. */
export function auditIds(random: Random): () => string {
  const beginning = randomUuid(random).slice(0, 24);
  let count = 0;
  return () => {
    count += 1;
    return beginning + count.toString(16).padStart(12, '0');
  };
}
