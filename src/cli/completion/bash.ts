import { valuedOptions, type CompletedOption, type CompletionSpec } from './spec.js';

const flags = (options: readonly CompletedOption[]): string => options.map(({ flag }) => flag).join(' ');

/** The completion as a script for bash 3.2 and later: source <(finetune completion bash). */
export function bashCompletion(spec: CompletionSpec): string {
  const names = spec.commands.map(({ name }) => name);
  const worded = spec.commands.filter(({ words }) => words.length > 0);
  return `# Completion of finetune in bash. Load it with: source <(finetune completion bash)
_finetune() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" command="" options words=""
  COMPREPLY=()
  (( COMP_CWORD > 1 )) && command="\${COMP_WORDS[1]}"
  case "$prev" in
${valuedOptions(spec)
  .map(({ flag, values }) => `    ${flag}) COMPREPLY=( $(compgen -W "${values.join(' ')}" -- "$cur") ); return ;;`)
  .join('\n')}
  esac
  case "$command" in
${spec.commands.map(({ name, options }) => `    ${name}) options="${flags(options)}" ;;`).join('\n')}
    *) options="${flags(spec.options)}" ;;
  esac
  if [[ "$cur" == -* ]]; then
    COMPREPLY=( $(compgen -W "$options" -- "$cur") )
    return
  fi
  if (( COMP_CWORD == 1 )); then
    words="${names.join(' ')}"
  elif (( COMP_CWORD == 2 )); then
    case "$command" in
${worded.map(({ name, words }) => `      ${name}) words="${words.join(' ')}" ;;`).join('\n')}
    esac
  fi
  local IFS=$'\\n'
  COMPREPLY=( $(IFS=' '; compgen -W "$words" -- "$cur") $(compgen -f -X '!*.yaml' -- "$cur") $(compgen -f -X '!*.yml' -- "$cur") $(compgen -d -- "$cur") )
  if [[ "$prev" == -* || ( $COMP_CWORD -gt 1 && -z "$words" ) ]]; then
    COMPREPLY=( $(compgen -f -- "$cur") )
  fi
}
complete -o filenames -F _finetune finetune
`;
}
