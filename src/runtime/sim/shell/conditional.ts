import type { CondToken } from './ast.ts';
import { evaluate, expandPattern, expandText, type Substituter } from './expand.ts';
import { matches } from './pattern.ts';
import { ShellFailure } from './state.ts';
import { compareFiles, compareNumbers, numberOperators, unaryOperators, unaryTest } from './test-expression.ts';

/** Evaluates the inside of `[[ … ]]`. */
export async function conditional(shell: Substituter, tokens: readonly CondToken[]): Promise<boolean> {
  let at = 0;
  const op = (ahead = 0): string | undefined => {
    const token = tokens[at + ahead];
    return token && 'op' in token ? token.op : undefined;
  };
  const operand = async (pattern = false): Promise<string> => {
    const token = tokens[at++];
    if (!token) throw new ShellFailure('syntax error in conditional expression');
    if ('op' in token) return token.op;
    // Busybox' [[ is its test with patterns: quotes do not take their meaning away.
    return pattern && shell.state.dialect === 'bash' ? expandPattern(shell, token.word) : expandText(shell, token.word);
  };
  const primary = async (run: boolean): Promise<boolean> => {
    if (op() === '!') {
      at++;
      return !(await primary(run));
    }
    if (op() === '(') {
      at++;
      const value = await or(run);
      at++;
      return value;
    }
    const first = op();
    if (first && unaryOperators.has(first) && tokens[at + 1]) {
      at++;
      const arg = await operand();
      return run && unaryTest(shell.state.p, first, arg);
    }
    if (first === '-v') {
      at++;
      return shell.state.vars.get(await operand())?.value !== undefined;
    }
    const left = await operand();
    const between = op();
    if (!between || between === '&&' || between === '||' || between === ')') return left !== '';
    at++;
    if (between === '=~') {
      const match = new RegExp(await operand()).exec(left);
      shell.state.vars.set('BASH_REMATCH', {
        value: match ? [...match].map((part) => part ?? '') : [],
        exported: false,
        readonly: false,
      });
      return match !== null;
    }
    const right = await operand(between === '==' || between === '=' || between === '!=');
    if (numberOperators.has(between))
      return compareNumbers(between, evaluate(shell.state, left), evaluate(shell.state, right));
    if (between === '==' || between === '=') return matches(right, left);
    if (between === '!=') return !matches(right, left);
    if (between === '<') return left < right;
    if (between === '>') return left > right;
    return compareFiles(shell.state.p, between, left, right);
  };
  const and = async (run: boolean): Promise<boolean> => {
    let value = await primary(run);
    while (op() === '&&') {
      at++;
      const right = await primary(run && value);
      value &&= right;
    }
    return value;
  };
  const or = async (run: boolean): Promise<boolean> => {
    let value = await and(run);
    while (op() === '||') {
      at++;
      const right = await and(run && !value);
      value ||= right;
    }
    return value;
  };
  return or(true);
}
