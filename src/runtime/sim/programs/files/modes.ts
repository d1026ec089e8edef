/** Applies a chmod(1) mode, octal or symbolic, to permission bits; undefined when it is malformed. */
export function applyMode(text: string, before: number, directory: boolean, umask = 0): number | undefined {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  let mode = before;
  for (const clause of text.split(',')) {
    const match = /^([ugoa]*)((?:[-+=][rwxXst]*|[-+=][ugo])+)$/.exec(clause);
    if (!match) return undefined;
    const who = match[1] === '' ? 'a' : (match[1] ?? '');
    const mask = match[1] === '' ? ~umask : -1;
    for (const [, op = '', perms = ''] of (match[2] ?? '').matchAll(/([-+=])([rwxXst]*|[ugo])/g)) {
      for (const class_ of who === 'a' || who.includes('a') ? 'ugo' : who) {
        const shift = { u: 6, g: 3, o: 0 }[class_] ?? 0;
        let bits = 0;
        if (/^[ugo]$/.test(perms)) bits = (mode >> ({ u: 6, g: 3, o: 0 }[perms] ?? 0)) & 7;
        for (const letter of perms) {
          if (letter === 'r') bits |= 4;
          if (letter === 'w') bits |= 2;
          if (letter === 'x' || (letter === 'X' && (directory || before & 0o111))) bits |= 1;
        }
        const special =
          (perms.includes('s') ? (class_ === 'u' ? 0o4000 : class_ === 'g' ? 0o2000 : 0) : 0) |
          (perms.includes('t') ? 0o1000 : 0);
        const value = ((bits << shift) & mask) | special;
        if (op === '+') mode |= value;
        else if (op === '-') mode &= ~value;
        else mode = (mode & ~(7 << shift)) | value;
      }
    }
  }
  return mode & 0o7777;
}
