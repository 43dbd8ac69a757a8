import type { CAC } from 'cac';

/** What can be completed: the commands, their options, and the words that stand for values. */
export interface CompletionSpec {
  readonly commands: readonly CompletedCommand[];
  /** Options without a command, which are those of running a recipe. */
  readonly options: readonly CompletedOption[];
}

export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  /** Words that are offered for its first argument, besides the names of files. */
  readonly words: readonly string[];
}

export interface CompletedOption {
  /** With its dashes. */
  readonly flag: string;
  readonly description: string;
  readonly takesValue: boolean;
  /** Values that it can have; files if there are none. */
  readonly values: readonly string[];
}

/** Words for first arguments by command, and for values by flag. */
export interface KnownWords {
  readonly arguments: Readonly<Record<string, readonly string[]>>;
  readonly values: Readonly<Record<string, readonly string[]>>;
}

/** Collects what a program defines. */
export function completionSpec({ commands, globalCommand }: CAC, known: KnownWords): CompletionSpec {
  const optionsOf = (options: CAC['commands'][number]['options']): CompletedOption[] =>
    options.map(({ name, rawName, description, isBoolean }) => {
      const flag = /--[\w-]+/.exec(rawName)?.[0] ?? `--${name}`;
      return { flag, description, takesValue: isBoolean !== true, values: known.values[flag] ?? [] };
    });
  const shared = optionsOf(globalCommand.options);
  const named = commands.filter(({ name }) => name !== '');
  return {
    commands: named.map(({ name, description, options }) => ({
      name,
      description,
      options: [...optionsOf(options), ...shared],
      words: known.arguments[name] ?? [],
    })),
    options: [...optionsOf(commands.find(({ name }) => name === '')?.options ?? []), ...shared],
  };
}

/** Every option that takes one of some known values, once for each flag. */
export const valuedOptions = ({ commands, options }: CompletionSpec): CompletedOption[] => {
  const all = [...options, ...commands.flatMap((command) => command.options)];
  return [...new Map(all.filter(({ values }) => values.length > 0).map((option) => [option.flag, option])).values()];
};
