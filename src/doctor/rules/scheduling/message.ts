/** One reason of a FailedScheduling message, and how many nodes gave it; undefined where the whole cluster did (PreFilter). */
export interface Clause {
  readonly nodes: number | undefined;
  readonly text: string;
}

/**
 * The reasons in `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {a: b}. preemption: …`. What the scheduler
 * says of preemption and of claims to deallocate is cut off: it explains nothing. Pure; a text of another form has no clauses.
 */
export function clausesOf(message: string): readonly Clause[] {
  const reasons = /^\d+\/\d+ nodes are available: (.*)$/s.exec(message.trim())?.[1];
  if (reasons === undefined) return message.startsWith('no nodes available') ? [{ nodes: 0, text: message }] : [];
  const own = reasons
    .split(/\.? (?:no new claims to deallocate|preemption:|still not schedulable)/)[0]
    ?.replace(/\.$/, '');
  return (own ?? '')
    .split(/, (?=\d+ )/)
    .filter((it) => it !== '')
    .map((it) => {
      const counted = /^(\d+) (.*)$/s.exec(it);
      return counted ? { nodes: Number(counted[1]), text: counted[2] ?? '' } : { nodes: undefined, text: it };
    });
}
