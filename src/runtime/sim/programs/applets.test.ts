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

describe('awk', () => {
  test.each([
    [`printf 'a 1\\nb 2\\nc 3\\n' | awk '{s+=$2} END {print s, NR}'`, '6 3\n'],
    [`printf 'a:1\\nb:2\\n' | awk -F: '$2>1 {print $1}'`, 'b\n'],
    [`awk 'BEGIN {for (i=0;i<3;i++) printf "%d-%s|", i, "x"; print ""}'`, '0-x|1-x|2-x|\n'],
    [`awk -v n=5 'BEGIN {print n*2 " " n^2, 7%4, 1/4}'`, '10 25 3 0.25\n'],
    [`printf 'x y\\nx z\\n' | awk '{c[$1]++} END {for (k in c) print k, c[k]}'`, 'x 2\n'],
    [
      `echo 'foo bar' | awk '{gsub(/o/, "0"); $2="baz"; print; print NF, length($1), toupper($2), substr($0,2,3)}'`,
      'f00 baz\n2 3 BAZ 00 \n',
    ],
    [`awk 'function f(x) { return x<2 ? 1 : x*f(x-1) } BEGIN {print f(5)}'`, '120\n'],
    [`awk 'BEGIN { "echo hi" | getline x; print x; print "b\\na" | "sort" }'`, 'hi\na\nb\n'],
    [`printf '1\\n2\\n3\\n4\\n' | awk '/2/,/3/'`, '2\n3\n'],
    [`awk 'BEGIN { exit 3 }'; echo $?`, '3\n'],
  ])('%s', async (script, stdout) => {
    const result = await box.run(['sh', '-c', script]);
    expect(result.stderr).toBe('');
    expect(result.stdout).toBe(stdout);
  });
});

describe('tar', () => {
  test('streams a tree both ways, as kubectl cp does', async () => {
    const made = await box.run([
      'sh',
      '-c',
      'mkdir -p /w/a/b /w/out; echo one > /w/a/1; yes two | head -n 100000 > /w/a/b/2; ln -s 1 /w/a/l; tar cf - -C /w a | tar xmf - -C /w/out; cd /w; find out | sort; diff a/b/2 out/a/b/2 && readlink out/a/l',
    ]);
    expect(made.stderr).toBe('');
    expect(made.stdout).toBe('out\nout/a\nout/a/1\nout/a/b\nout/a/b/2\nout/a/l\n1\n');
    const listed = await box.run(['sh', '-c', 'cd /w; tar czf x.tgz a; tar tzf x.tgz; tar xf /nope']);
    expect(listed).toEqual({
      stdout: 'a/\na/1\na/b/\na/b/2\na/l\n',
      stderr: "tar: can't open '/nope': No such file or directory\n",
      code: 1,
    });
  });
});
