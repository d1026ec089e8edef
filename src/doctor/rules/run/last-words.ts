/** Lines by which programs say why they give up, the most telling first. */
const telling: readonly RegExp[] = [
  /^panic: /,
  /^(?:\s*)Caused by: /,
  /^Exception in thread |^Unhandled exception/,
  /^(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit)(?::|$)/,
  /^(?:Uncaught |\w*)Error: /,
  /^thread '.*' panicked at /,
  /^PHP Fatal error: |^Fatal error: /,
  /\b(?:FATAL|fatal|Fatal|CRITICAL|PANIC|EMERG)\b/,
  /\b(?:ERROR|Error|error)\b/,
];

/** The most telling line of a program's last words; the last line where none tells more; undefined for an empty log. Pure. */
export function lastWords(text: string): string | undefined {
  const lines = text.split('\n').filter((it) => it.trim() !== '');
  for (const pattern of telling) {
    for (let i = lines.length - 1; i >= 0; i--) {
      const line = lines[i] ?? '';
      if (pattern.test(line)) return line;
    }
  }
  return lines.at(-1);
}

/** The line, and what stands around it: for a Python traceback the frame before, for others the next line. */
export function around(text: string, line: string): string {
  const lines = text.split('\n');
  const at = lines.lastIndexOf(line);
  if (at < 0) return line;
  const python = lines.slice(Math.max(0, at - 2), at).some((it) => /^\s+File "/.test(it));
  return (python ? lines.slice(Math.max(0, at - 2), at + 1) : lines.slice(at, at + 3)).join('\n').trimEnd();
}
