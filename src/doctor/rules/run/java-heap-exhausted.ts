import { computed } from '../../evidence.ts';
import { containerField } from '../../remedy.ts';
import { logRule, workloadArguments } from './log-rule.ts';

export const javaHeapExhausted = logRule({
  id: 'java-heap-exhausted',
  title: 'The Java heap is full',
  codes: ['RUN-04'],
  symptoms: ['java.lang.OutOfMemoryError', 'Java heap space', 'GC overhead limit exceeded'],
  rank: 78,
  pattern: /java\.lang\.OutOfMemoryError: ([^\n]+)/,
  meaning:
    'Java ran out of its own heap, which is not the container’s memory limit: the JVM takes a part of the limit only (a quarter unless told otherwise).',
  tell: '`java.lang.OutOfMemoryError` in the log. `OOMKilled` without it means the opposite: the heap may be larger than the limit.',
  fix: 'Let the heap have more of the limit, or raise both.',
  logs: [
    {
      when: 'the heap is full',
      log: 'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n',
      says: 'Java heap space',
      exit: 3,
    },
  ],
  claim(it) {
    const limit = it.container.spec.resources?.limits?.['memory'];
    const options = it.container.spec.env?.find((env) => /JAVA_(?:TOOL_)?OPT(?:ION)?S|JDK_JAVA_OPTIONS/.test(env.name));
    return {
      says: `The Java program in container ${it.container.name} ran out of heap (${it.match[1]?.trim()})${limit ? `, with a memory limit of ${limit}` : ''}.`,
      evidence: [
        ...it.evidence,
        computed(
          it.pod.ref,
          `memory limit ${limit ?? 'none'}, ${options ? `${options.name}=${options.value ?? '(from elsewhere)'}` : 'no Java options set by variable'}`,
        ),
      ],
      field: containerField(it.pod, it.container, 'env'),
      commands: [
        `kubectl set env ${workloadArguments(it.pod)} -c ${it.container.name} JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=75`,
      ],
    };
  },
});
