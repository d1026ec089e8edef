import { describe, expect, test } from 'vitest';
import { builtinImage, simBox } from '../programs/sim-box.ts';

const box = simBox(builtinImage('busybox'));

/** Each gives what a real busybox shell gives. */
const scripts: readonly (readonly [string, string, string, number])[] = [
  ['expands parameters', 'x=abc; echo ${x#a} ${x%c} ${#x} ${y:-none} "${x}"', 'bc ab 3 none abc\n', 0],
  ['splits words and keeps quotes', 'set -- "a b" c; for i in "$@"; do echo "<$i>"; done', '<a b>\n<c>\n', 0],
  ['counts', 'i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i', '3\n', 0],
  ['chooses', 'case foo.txt in *.md) echo md;; *.txt) echo txt;; esac', 'txt\n', 0],
  ['reads here-documents', 'n=5; cat <<A\nn is $n\nA\ncat <<"B"\n$n\nB', 'n is 5\n$n\n', 0],
  ['gives a pipeline the status of its last command', 'false | true; echo $?; true | false', '0\n', 1],
  [
    'runs jobs in the background and waits',
    'sleep 0.02 & p=$!; wait $p; echo $?; (exit 3) & wait $!; echo $?',
    '0\n3\n',
    0,
  ],
  ['substitutes', 'echo "$(echo a; echo b)-$(printf c)"', 'a\nb-c\n', 0],
  ['calls functions', 'f() { local x=in; echo "$x $1"; return 4; }; x=out; f y; echo $? $x', 'in y\n4 out\n', 0],
  ['keeps subshells apart', 'x=1; (x=2; cd /tmp; exit 7); echo $? $x $PWD', '7 1 /\n', 0],
  ['ends at the first failure when asked', 'set -e; echo one; false; echo two', 'one\n', 1],
  ['lets conditions fail under -e', 'set -e; if false; then :; fi; false || true; echo on', 'on\n', 0],
  ['runs its EXIT trap', 'trap "echo bye" EXIT; echo hi; exit 3', 'hi\nbye\n', 3],
  ['runs a trap for a signal to itself', 'trap "echo got it" USR1; kill -USR1 $$; echo after', 'got it\nafter\n', 0],
  ['sees by what its child was killed', 'sleep 5 & kill $!; wait $!; echo $?', '143\n', 0],
  ['is protected as process 1', 'kill -9 $$; echo "still $$"', 'still 1\n', 0],
  ['redirects', 'echo out > /tmp/f; echo more >> /tmp/f; cat < /tmp/f; ls /nope 2> /dev/null', 'out\nmore\n', 1],
  ['leaves a pipe whose reader has gone', 'yes | head -n 1; echo done', 'y\ndone\n', 0],
  ['does not find what is not there', 'nosuch 2>/dev/null', '', 127],
];

describe('the shell', () => {
  test.each(scripts)('%s', async (_, script, stdout, code) => {
    const fresh = simBox(builtinImage('busybox'));
    expect(await fresh.run(['sh', '-c', script])).toMatchObject({ stdout, code });
  });

  test('reads a script from its standard input, and its parameters', async () => {
    expect(await box.run(['sh', '-s', 'one'], { stdin: 'echo "$1"\nexit 2\n' })).toMatchObject({
      stdout: 'one\n',
      code: 2,
    });
  });

  test('says where a script is wrong', async () => {
    const { code, stderr } = await box.run(['sh', '-c', 'if true; then']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/syntax error/);
  });

  test('a loop without end lets others go on, and can be killed', async () => {
    const busy = box.start(['sh', '-c', 'while true; do :; done']);
    expect(await box.run(['sh', '-c', 'echo beside'])).toMatchObject({ stdout: 'beside\n', code: 0 });
    busy.p.signal('KILL', false);
    expect(await busy.ended).toBe(137);
  });
});
