import { valuedOptions, type CompletedOption, type CompletionSpec } from './spec.js';

/** A text in single quotes; a colon in it does not separate a word from its description. */
const quoted = (word: string, description: string): string =>
  `'${word.replaceAll(':', String.raw`\:`)}:${description}'`.replaceAll(/(?<=.)'(?=.)/g, String.raw`'\''`);

const described = (options: readonly CompletedOption[]): string =>
  options.map(({ flag, description }) => quoted(flag, description)).join(' ');

/** The completion as a script for zsh: source <(finetune completion zsh), after compinit. */
export function zshCompletion(spec: CompletionSpec): string {
  const worded = spec.commands.filter(({ words }) => words.length > 0);
  return `#compdef finetune
# Completion of finetune in zsh. Load it after compinit with: source <(finetune completion zsh)
_finetune() {
  local command=""
  local -a options commands
  (( CURRENT > 2 )) && command=$words[2]
  case $words[CURRENT-1] in
${valuedOptions(spec)
  .map(({ flag, values }) => `    ${flag}) compadd -- ${values.join(' ')}; return ;;`)
  .join('\n')}
  esac
  case $command in
${spec.commands.map(({ name, options }) => `    ${name}) options=(${described(options)}) ;;`).join('\n')}
    *) options=(${described(spec.options)}) ;;
  esac
  if [[ $words[CURRENT] == -* ]]; then
    _describe option options
    return
  fi
  if (( CURRENT == 2 )); then
    commands=(${spec.commands.map(({ name, description }) => quoted(name, description)).join(' ')})
    _describe command commands
    _files -g '*.(yaml|yml)'
    return
  fi
  if (( CURRENT == 3 )); then
    case $command in
${worded.map(({ name, words }) => `      ${name}) compadd -- ${words.join(' ')} ;;`).join('\n')}
    esac
  fi
  _files
}
compdef _finetune finetune
`;
}
