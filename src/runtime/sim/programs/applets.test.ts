import { describe, expect, test } from 'vitest';
import { builtinImage, simBox } from './sim-box.ts';

const box = simBox(builtinImage('busybox'));

describe('commands', () => {
  const cases: readonly (readonly [string, string, number])[] = [
    ['echo hi', 'hi\n', 0],
    ['ls /bin | grep -c .', '', 0],
    ['printf "b\\na\\nc\\n" | sort | head -n 2', 'a\nb\n', 0],
    ['seq 1 5 | sed -n "2,3p"', '2\n3\n', 0],
    ['echo a:b:c | cut -d: -f2', 'b\n', 0],
    ['cat /nope', '', 1],
    ['echo hello | tr a-z A-Z', 'HELLO\n', 0],
    ['mkdir -p /tmp/a/b && touch /tmp/a/b/c && find /tmp/a -type f', '/tmp/a/b/c\n', 0],
    ['false', '', 1],
    ['nosuch', '', 127],
    ['echo x | xargs -n1 echo y', 'y x\n', 0],
    ['sleep 0.01; echo $?', '0\n', 0],
    ['wc -l < /etc/hosts', '1\n', 0],
    ['echo abc | md5sum', '0bee89b07a248e27c83fc3d5951213c1  -\n', 0],
  ];
  test.each(cases)('%s', async (script, stdout, code) => {
    const result = await box.run(['sh', '-c', script]);
    if (stdout !== '') expect(result.stdout).toBe(stdout);
    expect(result.code, result.stderr).toBe(code);
  });
});
