import type { Applet } from '../applet.ts';
import { runCommand } from '../files/find.ts';

/** Words of standard input as xargs reads them: blanks part them, quotes and backslashes keep them together. */
function words(text: string): string[] {
  const out: string[] = [];
  for (const match of text.matchAll(/(?:\\[\s\S]|'[^'\n]*'|"[^"\n]*"|[^\s\\'"])+/g))
    out.push(
      match[0].replace(
        /\\([\s\S])|'([^']*)'|"([^"]*)"/g,
        (_all, escaped?: string, single?: string, double?: string) => escaped ?? single ?? double ?? '',
      ),
    );
  return out;
}

/** xargs [-0rt] [-n N] [-I TEXT] [-L N] [-d CHAR] [-P N] COMMAND… */
export async function xargs(a: Applet): Promise<number> {
  const options = a.options('+0rtxpn:I:i:L:d:P:s:E:a:', {
    null: '0',
    'no-run-if-empty': 'r',
    'max-args': 'n',
    replace: 'I',
    delimiter: 'd',
    'max-procs': 'P',
  });
  const command = options.rest.length > 0 ? options.rest : ['echo'];
  const text = (await a.p.readAll(0)).toString();
  const replace = options.value('I');
  const delimiter = options.has('0') ? '\0' : options.value('d')?.replace('\\n', '\n').replace('\\t', '\t');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const items =
    delimiter !== undefined
      ? text.split(delimiter).filter((item, index, all) => item !== '' || index < all.length - 1)
      : replace !== undefined
        ? lines.map((line) => (words(line.trimStart()).length > 0 ? line.trimStart() : line))
        : words(text);
  const batches: string[][] = [];
  if (replace !== undefined)
    for (const item of items) batches.push(command.map((word) => word.replaceAll(replace, item)));
  else if (options.has('L')) {
    const size = Math.max(1, a.number(options.value('L') ?? '1'));
    for (let at = 0; at < lines.length; at += size)
      batches.push([...command, ...lines.slice(at, at + size).flatMap(words)]);
  } else {
    const size = options.has('n') ? Math.max(1, a.number(options.value('n') ?? '1')) : 5000;
    for (let at = 0; at < items.length; at += size) batches.push([...command, ...items.slice(at, at + size)]);
    if (items.length === 0 && !options.has('r')) batches.push([...command]);
  }
  let status = 0;
  a.p.install(a.p.openFile('/dev/null', { read: true }), 0);
  for (const argv of batches) {
    if (options.has('t')) await a.p.complain(`${argv.join(' ')}\n`);
    const code = await runCommand(a, argv);
    if (code === 126 || code === 127) return code;
    if (code === 255) {
      await a.warn(`${argv[0]}: exited with status 255; aborting`);
      return 124;
    }
    if (code > 128) return 125;
    if (code !== 0) status = 123;
  }
  return status;
}
