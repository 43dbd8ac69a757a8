import type { CompletedOption, CompletionSpec } from './spec.js';

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;

/** The completion as a script for fish: finetune completion fish | source. */
export function fishCompletion({ commands, options }: CompletionSpec): string {
  const names = commands.map(({ name }) => name).join(' ');
  const lineOf =
    (condition: string) =>
    ({ flag, description, takesValue, values }: CompletedOption): string => {
      const value = !takesValue ? '' : values.length > 0 ? ` -x -a ${quoted(values.join(' '))}` : ' -r';
      return `complete -c finetune -n ${quoted(condition)} -l ${flag.slice(2)}${value} -d ${quoted(description)}`;
    };
  return `# Completion of finetune in fish. Load it with: finetune completion fish | source
complete -c finetune -n __fish_use_subcommand -k -a ${quoted('(__fish_complete_suffix .yaml)')}
${commands
  .map(({ name, description }) => `complete -c finetune -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`)
  .join('\n')}
${options.map(lineOf(`not __fish_seen_subcommand_from ${names}`)).join('\n')}
${commands
  .flatMap(({ name, options: own, words }) => [
    ...(words.length > 0
      ? [`complete -c finetune -n ${quoted(`__fish_seen_subcommand_from ${name}`)} -a ${quoted(words.join(' '))}`]
      : []),
    ...own.map(lineOf(`__fish_seen_subcommand_from ${name}`)),
  ])
  .join('\n')}
`;
}
