import type { Argument, Command, Option } from 'commander';
import { completeNames } from './kube/complete-names.ts';
import { type ConnectFlags, connect } from './kube/connect.ts';
import type { CommandBuilder } from './main.ts';
import { type Streams, say } from './output.ts';
import { shellScripts } from './shell-scripts.ts';

/** One thing that may stand next on the line, and what it does. */
export interface Candidate {
  readonly word: string;
  readonly about?: string;
}

const visible = (command: Command): readonly Command[] =>
  command.commands.filter((one) => !one.name().startsWith('__') && one.name() !== 'help');

/** The command that the words before the last lead to, and the words that are its own. */
function commandAt(program: Command, words: readonly string[]): { command: Command; rest: readonly string[] } {
  let command = program;
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (!next) break;
    command = next;
  }
  return { command, rest: words.slice(at) };
}

const takesValue = (option: Option): boolean => option.required || option.optional;
const named = (command: Command, word: string): Option | undefined =>
  command.options.find((option) => option.long === word || option.short === word);

/** The words of `rest` that are no flags and no values of flags. */
function operandsOf(command: Command, rest: readonly string[]): readonly string[] {
  const operands: string[] = [];
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i] ?? '';
    if (!word.startsWith('-')) operands.push(word);
    else if (!word.includes('=') && named(command, word)?.required) i++;
  }
  return operands;
}

/** The flags that name the cluster and namespace, from the line so far. */
function connectionOf(rest: readonly string[]): ConnectFlags {
  const value = (...names: readonly string[]): string | undefined => {
    for (let i = 0; i < rest.length; i++) {
      const [name = '', given] = (rest[i] ?? '').split('=', 2);
      if (names.includes(name)) return given ?? rest[i + 1];
    }
    return undefined;
  };
  const [kubeconfig, context, namespace] = [value('--kubeconfig'), value('--context'), value('-n', '--namespace')];
  return { ...(kubeconfig && { kubeconfig }), ...(context && { context }), ...(namespace && { namespace }) };
}

/** Names from the cluster; none when it cannot be asked, for a completion must never complain. */
async function live(
  command: Command,
  operands: readonly string[],
  rest: readonly string[],
  what: 'names' | 'namespaces',
  streams: Streams,
): Promise<readonly Candidate[]> {
  try {
    const connection = await connect(connectionOf(rest), streams);
    try {
      return await completeNames(connection, what, command.name(), operands);
    } finally {
      connection.client.close();
    }
  } catch {
    return [];
  }
}

const argumentAt = (command: Command, count: number): Argument | undefined => {
  const all = command.registeredArguments;
  return all[count] ?? (all.at(-1)?.variadic ? all.at(-1) : undefined);
};

/** What may stand at the end of these words, the last of which has been begun. */
export async function candidates(
  program: Command,
  words: readonly string[],
  streams: Streams,
): Promise<readonly Candidate[]> {
  const begun = words.at(-1) ?? '';
  const { command, rest } = commandAt(program, words.slice(0, -1));
  const before = rest.at(-1) ?? '';
  const flag = before.startsWith('-') ? named(command, before) : undefined;
  const operands = operandsOf(command, rest);
  const found = await (async (): Promise<readonly Candidate[]> => {
    if (flag && takesValue(flag)) {
      if (flag.long === '--namespace') return live(command, operands, rest, 'namespaces', streams);
      return (flag.argChoices ?? []).map((word) => ({ word }));
    }
    if (begun.startsWith('-'))
      return command.options.flatMap((option) =>
        option.long ? [{ word: option.long, about: option.description }] : [],
      );
    if (operands.length === 0 && visible(command).length > 0)
      return visible(command).map((one) => ({ word: one.name(), about: one.description() }));
    return argumentAt(command, operands.length) ? live(command, operands, rest, 'names', streams) : [];
  })();
  return found.filter(({ word }) => word.startsWith(begun));
}

/** `coracle completion SHELL` prints a script; the script asks `coracle __complete WORD…` as the user types. */
export const completionCommand: CommandBuilder = (program, streams) => {
  program
    .command('completion')
    .description('print a completion script: source <(coracle completion bash)')
    .addArgument(program.createArgument('<shell>').choices(Object.keys(shellScripts)))
    .action((shell: keyof typeof shellScripts) => {
      streams.stdout.write(shellScripts[shell]);
    });
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: readonly string[]) => {
      for (const { word, about } of await candidates(program, words, streams))
        say(streams, about ? `${word}\t${about.split('\n')[0]}` : word);
    });
};
