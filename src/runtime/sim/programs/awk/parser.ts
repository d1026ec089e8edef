import { Failure } from '../applet.ts';
import type { AwkProgram, Expression, Rule, Statement } from './ast.ts';
import { lex, type Token } from './lexer.ts';

/** Parses an awk program. Throws Failure with busybox's text. */
export function parseAwk(source: string): AwkProgram {
  const tokens = lex(source);
  let at = 0;
  const peek = (ahead = 0): Token => tokens[at + ahead] ?? { t: 'end' };
  const wrong = (): Failure =>
    new Failure(
      `cmd. line:${tokens.slice(0, at).filter(({ t }) => t === 'newline').length + 1}: Unexpected ${peek().t === 'end' ? 'end of string' : 'token'}`,
    );
  const isOp = (text: string, ahead = 0): boolean => {
    const token = peek(ahead);
    return token.t === 'op' && token.text === text;
  };
  const isWord = (text: string): boolean => {
    const token = peek();
    return token.t === 'keyword' && token.text === text;
  };
  const take = (text: string): boolean => {
    if (!isOp(text)) return false;
    at++;
    return true;
  };
  const takeWord = (text: string): boolean => {
    if (!isWord(text)) return false;
    at++;
    return true;
  };
  const need = (text: string): void => {
    if (!take(text)) throw wrong();
  };
  const newlines = (): void => {
    while (peek().t === 'newline') at++;
  };
  const separators = (): void => {
    while (peek().t === 'newline' || isOp(';')) at++;
  };

  let noIn = 0;
  let noGreater = 0;
  const list = (end: string): Expression[] => {
    const out: Expression[] = [];
    newlines();
    while (!isOp(end)) {
      out.push(expression());
      newlines();
      if (!take(',')) break;
      newlines();
    }
    need(end);
    return out;
  };
  /** Inside brackets the restrictions of the outside do not hold. */
  const free = <T>(inner: () => T): T => {
    const saved = [noIn, noGreater];
    noIn = 0;
    noGreater = 0;
    const value = inner();
    [noIn = 0, noGreater = 0] = saved;
    return value;
  };
  const target = (value: Expression): boolean => value.t === 'name' || value.t === 'field' || value.t === 'item';

  const expression = (): Expression => {
    const left = choice();
    const token = peek();
    if (token.t === 'op' && /^(=|\+=|-=|\*=|\/=|%=|\^=|\*\*=)$/.test(token.text) && target(left)) {
      at++;
      newlines();
      return { t: 'assign', op: token.text.replace('**', '^'), to: left, value: expression() };
    }
    return left;
  };
  const choice = (): Expression => {
    const test = or();
    if (!take('?')) return test;
    newlines();
    const yes = choiceOrAssign();
    newlines();
    need(':');
    newlines();
    return { t: 'choice', test, yes, no: choiceOrAssign() };
  };
  const choiceOrAssign = (): Expression => expression();
  const binary = (operators: readonly string[], below: () => Expression) => (): Expression => {
    let left = below();
    for (;;) {
      const token = peek();
      if (token.t !== 'op' || !operators.includes(token.text)) return left;
      at++;
      newlines();
      left = { t: 'binary', op: token.text, left, right: below() };
    }
  };
  const membership = (): Expression => {
    let left = match();
    while (noIn === 0 && isWord('in')) {
      at++;
      const token = peek();
      if (token.t !== 'name') throw wrong();
      at++;
      left = { t: 'in', index: left.t === 'group' ? left.items : [left], name: token.text };
    }
    return left;
  };
  const match = (): Expression => {
    let left = comparison();
    for (;;) {
      const token = peek();
      if (token.t !== 'op' || (token.text !== '~' && token.text !== '!~')) return left;
      at++;
      left = { t: 'binary', op: token.text, left, right: comparison() };
    }
  };
  const comparison = (): Expression => {
    const left = concatenation();
    const token = peek();
    if (
      token.t === 'op' &&
      ['<', '<=', '==', '!=', '>=', '>'].includes(token.text) &&
      !(token.text === '>' && noGreater > 0)
    ) {
      at++;
      return { t: 'binary', op: token.text, left, right: concatenation() };
    }
    if (isOp('|') && peek(1).t === 'keyword' && (peek(1) as { text: string }).text === 'getline') {
      at += 2;
      return { t: 'getline', from: 'command', source: left, ...into() };
    }
    return left;
  };
  const into = (): { into?: Expression } => {
    const token = peek();
    return token.t === 'name' || isOp('$') ? { into: postfix() } : {};
  };
  const startsValue = (): boolean => {
    const token = peek();
    if (token.t === 'number' || token.t === 'string' || token.t === 'name' || token.t === 'call' || token.t === 'regex')
      return true;
    return token.t === 'op' && ['$', '(', '!', '-', '+', '++', '--'].includes(token.text);
  };
  const concatenation = (): Expression => {
    let left = sum();
    while (startsValue() && !isOp('!')) {
      if (isOp('-') || isOp('+')) break;
      left = { t: 'binary', op: ' ', left, right: sum() };
    }
    return left;
  };
  const power = (): Expression => {
    const left = postfix();
    if (!isOp('^') && !isOp('**')) return left;
    at++;
    return { t: 'binary', op: '^', left, right: unaryOrPower() };
  };
  const unaryOrPower = (): Expression => (isOp('-') || isOp('+') || isOp('!') ? unary() : power());
  const unary = (): Expression => {
    const token = peek();
    if (token.t === 'op' && ['!', '-', '+'].includes(token.text)) {
      at++;
      return { t: 'unary', op: token.text as '!', of: unary() };
    }
    return power();
  };
  const product = binary(['*', '/', '%'], unary);
  const sum = binary(['+', '-'], product);
  const and = binary(['&&'], membership);
  const or = binary(['||'], and);
  const postfix = (): Expression => {
    const value = primary();
    if (!target(value)) return value;
    if (isOp('++') || isOp('--')) {
      const by = isOp('++') ? 1 : -1;
      at++;
      return { t: 'step', by, prefix: false, of: value };
    }
    return value;
  };
  const primary = (): Expression => {
    const token = peek();
    at++;
    switch (token.t) {
      case 'number':
        return { t: 'number', value: token.value };
      case 'string':
        return { t: 'string', text: token.text };
      case 'regex':
        return { t: 'regex', source: token.text };
      case 'call': {
        need('(');
        return { t: 'call', name: token.text, args: free(() => list(')')) };
      }
      case 'name':
        if (take('[')) return { t: 'item', name: token.text, index: free(() => list(']')) };
        return token.text === 'length' ? { t: 'call', name: 'length', args: [] } : { t: 'name', name: token.text };
      case 'keyword':
        if (token.text === 'getline') {
          const slot = into();
          if (isOp('<')) {
            at++;
            return { t: 'getline', from: 'file', source: postfix(), ...slot };
          }
          return { t: 'getline', from: 'input', ...slot };
        }
        break;
      case 'op':
        if (token.text === '$') return { t: 'field', of: isOp('++') || isOp('--') || isOp('-') ? unary() : primary() };
        if (token.text === '++' || token.text === '--')
          return { t: 'step', by: token.text === '++' ? 1 : -1, prefix: true, of: postfix() };
        if (token.text === '(') {
          const items = free(() => list(')'));
          return items.length === 1 ? { t: 'group', items } : { t: 'group', items };
        }
        break;
      default:
    }
    at--;
    throw wrong();
  };

  const terminated = (): void => {
    if (isOp('}') || peek().t === 'end') return;
    if (peek().t === 'newline' || isOp(';')) {
      at++;
      newlines();
      return;
    }
    throw wrong();
  };
  const simple = (): Statement => {
    if (isWord('print') || isWord('printf')) {
      const t = isWord('print') ? 'print' : 'printf';
      at++;
      const args: Expression[] = [];
      noGreater++;
      if (
        !isOp(';') &&
        !isOp('}') &&
        !isOp('>') &&
        !isOp('>>') &&
        !isOp('|') &&
        peek().t !== 'newline' &&
        peek().t !== 'end'
      ) {
        do {
          newlines();
          args.push(expression());
        } while (take(','));
      }
      noGreater--;
      const only = args[0];
      const shown = args.length === 1 && only?.t === 'group' ? only.items : args;
      for (const op of ['>>', '>', '|'] as const)
        if (take(op)) return { t, args: shown, to: { op, target: concatenation() } };
      return { t, args: shown };
    }
    if (takeWord('delete')) {
      const token = peek();
      if (token.t !== 'name') throw wrong();
      at++;
      return take('[')
        ? { t: 'delete', name: token.text, index: free(() => list(']')) }
        : { t: 'delete', name: token.text };
    }
    return { t: 'expression', value: expression() };
  };
  const block = (): Statement => {
    need('{');
    const body: Statement[] = [];
    separators();
    while (!isOp('}')) {
      if (peek().t === 'end') throw wrong();
      body.push(statement());
      separators();
    }
    need('}');
    return { t: 'block', body };
  };
  const bodyOf = (): Statement => {
    newlines();
    if (take(';')) return { t: 'block', body: [] };
    return statement();
  };
  const statement = (): Statement => {
    const token = peek();
    if (isOp('{')) return block();
    if (take(';')) return { t: 'block', body: [] };
    if (token.t === 'keyword') {
      switch (token.text) {
        case 'if': {
          at++;
          need('(');
          const test = free(expression);
          need(')');
          const yes = bodyOf();
          const saved = at;
          separators();
          if (takeWord('else')) return { t: 'if', test, yes, no: bodyOf() };
          at = saved;
          return { t: 'if', test, yes };
        }
        case 'while': {
          at++;
          need('(');
          const test = free(expression);
          need(')');
          return { t: 'while', test, body: bodyOf(), late: false };
        }
        case 'do': {
          at++;
          const body = bodyOf();
          separators();
          if (!takeWord('while')) throw wrong();
          need('(');
          const test = free(expression);
          need(')');
          return { t: 'while', test, body, late: true };
        }
        case 'for':
          at++;
          return loop();
        case 'break':
        case 'continue':
        case 'next':
        case 'nextfile':
          at++;
          terminated();
          return { t: token.text };
        case 'exit':
        case 'return': {
          at++;
          const value =
            peek().t === 'newline' || peek().t === 'end' || isOp(';') || isOp('}') ? {} : { value: expression() };
          terminated();
          return { t: token.text, ...value };
        }
        default:
      }
    }
    const result = simple();
    terminated();
    return result;
  };
  const loop = (): Statement => {
    need('(');
    const variable = peek();
    const word = peek(1);
    const array = peek(2);
    if (variable.t === 'name' && word.t === 'keyword' && word.text === 'in' && array.t === 'name' && isOp(')', 3)) {
      at += 4;
      return { t: 'each', variable: variable.text, array: array.text, body: bodyOf() };
    }
    const init = isOp(';') ? {} : { init: simple() };
    need(';');
    newlines();
    const test = isOp(';') ? {} : { test: free(expression) };
    need(';');
    newlines();
    const step = isOp(')') ? {} : { step: simple() };
    need(')');
    return { t: 'for', ...init, ...test, ...step, body: bodyOf() };
  };

  const rules: Rule[] = [];
  const functions = new Map<string, { params: readonly string[]; body: Statement }>();
  separators();
  while (peek().t !== 'end') {
    if (takeWord('function') || takeWord('func')) {
      const token = peek();
      if (token.t !== 'name' && token.t !== 'call') throw wrong();
      at++;
      need('(');
      const params = list(')').map((param) => (param.t === 'name' ? param.name : ''));
      newlines();
      functions.set(token.text, { params, body: block() });
    } else if (takeWord('BEGIN') || isWord('END')) {
      const when = isWord('END') ? 'END' : 'BEGIN';
      if (when === 'END') at++;
      newlines();
      rules.push({ when, body: block(), open: false });
    } else {
      const when: { from?: Expression; to?: Expression } = {};
      if (!isOp('{')) {
        when.from = expression();
        if (take(',')) {
          newlines();
          when.to = expression();
        }
      }
      rules.push(isOp('{') ? { when, body: block(), open: false } : { when, open: false });
    }
    separators();
  }
  return { rules, functions };
}
