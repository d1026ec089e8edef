/** Reads and sets the variables of an expression. */
export interface ArithmeticScope {
  get(name: string): string;
  set(name: string, value: string): void;
}

const levels: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
  ['**'],
];
const token =
  /\s*(0[xX][0-9a-fA-F]+|\d+#\w+|\d+|[A-Za-z_]\w*|<<=|>>=|\*\*|\+\+|--|&&|\|\||<<|>>|[=!<>+\-*/%&|^]=|[-+*/%<>=!~&|^?:(),])/y;

/** Evaluates shell arithmetic in 64 bits. Throws Error with the shell's text. */
export function arithmetic(text: string, scope: ArithmeticScope, depth = 0): bigint {
  if (depth > 32) throw new Error('expression recursion level exceeded');
  const tokens: string[] = [];
  token.lastIndex = 0;
  const source = text.trimEnd();
  while (token.lastIndex < source.length) {
    const at = token.lastIndex;
    const match = token.exec(source);
    if (!match)
      throw new Error(`arithmetic expression: expecting primary: "${text.slice(at).trim() === '' ? text : text}"`);
    tokens.push(match[1] ?? '');
  }
  let at = 0;
  const peek = (): string | undefined => tokens[at];
  const syntax = (): Error =>
    new Error(`arithmetic expression: expecting ${peek() === undefined ? 'primary' : 'EOF'}: "${text}"`);
  const variable = (name: string): bigint => {
    const value = scope.get(name).trim();
    if (value === '') return 0n;
    return /^-?\d+$/.test(value) && !/^-?0\d/.test(value) ? BigInt(value) : arithmetic(value, scope, depth + 1);
  };
  const literal = (word: string): bigint => {
    const based = /^(\d+)#(\w+)$/.exec(word);
    if (based) return BigInt(Number.parseInt(based[2] ?? '0', Number(based[1])));
    return /^0\d/.test(word) ? BigInt(`0o${word.slice(1)}`) : BigInt(word);
  };
  const primary = (): bigint => {
    const word = tokens[at++];
    if (word === undefined) throw syntax();
    if (word === '(') {
      const value = comma();
      if (tokens[at++] !== ')') throw new Error(`arithmetic expression: expecting ')': "${text}"`);
      return value;
    }
    if (/^\d/.test(word)) return literal(word);
    if (/^[A-Za-z_]/.test(word)) {
      if (peek() === '++' || peek() === '--') {
        const before = variable(word);
        scope.set(word, String(tokens[at++] === '++' ? before + 1n : before - 1n));
        return before;
      }
      return variable(word);
    }
    at--;
    throw syntax();
  };
  const unary = (): bigint => {
    const word = peek();
    if (word === '-' || word === '+' || word === '!' || word === '~') {
      at++;
      const value = unary();
      return word === '-' ? -value : word === '+' ? value : word === '!' ? (value === 0n ? 1n : 0n) : ~value;
    }
    if (word === '++' || word === '--') {
      at++;
      const name = tokens[at++] ?? '';
      const value = variable(name) + (word === '++' ? 1n : -1n);
      scope.set(name, String(value));
      return value;
    }
    return primary();
  };
  const apply = (op: string, a: bigint, b: bigint): bigint => {
    if ((op === '/' || op === '%') && b === 0n) throw new Error('divide by zero');
    switch (op) {
      case '|':
        return a | b;
      case '^':
        return a ^ b;
      case '&':
        return a & b;
      case '==':
        return a === b ? 1n : 0n;
      case '!=':
        return a !== b ? 1n : 0n;
      case '<':
        return a < b ? 1n : 0n;
      case '>':
        return a > b ? 1n : 0n;
      case '<=':
        return a <= b ? 1n : 0n;
      case '>=':
        return a >= b ? 1n : 0n;
      case '<<':
        return a << (b & 63n);
      case '>>':
        return a >> (b & 63n);
      case '+':
        return a + b;
      case '-':
        return a - b;
      case '*':
        return a * b;
      case '/':
        return a / b;
      case '%':
        return a % b;
      case '**':
        return b > 4096n ? 0n : a ** b;
      default:
        throw syntax();
    }
  };
  let skip = 0;
  const binary = (level: number): bigint => {
    const ops = levels[level];
    if (!ops) return unary();
    let left = binary(level + 1);
    for (let op = peek(); op !== undefined && ops.includes(op); op = peek()) {
      at++;
      if (op === '&&' || op === '||') {
        const decided = op === '&&' ? left === 0n : left !== 0n;
        if (decided) skip++;
        const right = binary(level + 1);
        if (decided) skip--;
        left = op === '&&' ? (left !== 0n && right !== 0n ? 1n : 0n) : left !== 0n || right !== 0n ? 1n : 0n;
      } else {
        const right = binary(level + 1);
        left = BigInt.asIntN(64, skip > 0 && right === 0n ? 0n : apply(op, left, right));
      }
    }
    return left;
  };
  const ternary = (): bigint => {
    const test = binary(0);
    if (peek() !== '?') return test;
    at++;
    const yes = assignment();
    if (tokens[at++] !== ':') throw syntax();
    const no = assignment();
    return test !== 0n ? yes : no;
  };
  const assignment = (): bigint => {
    const name = peek();
    const op = tokens[at + 1];
    if (name && /^[A-Za-z_]/.test(name) && op && /^([-+*/%&|^]|<<|>>)?=$/.test(op)) {
      at += 2;
      const value = assignment();
      const result = op === '=' ? value : BigInt.asIntN(64, apply(op.slice(0, -1), variable(name), value));
      if (skip === 0) scope.set(name, String(result));
      return result;
    }
    return ternary();
  };
  const comma = (): bigint => {
    let value = assignment();
    while (peek() === ',') {
      at++;
      value = assignment();
    }
    return value;
  };
  if (tokens.length === 0) return 0n;
  const value = comma();
  if (at < tokens.length) throw syntax();
  return BigInt.asIntN(64, value);
}
