const bash = `# bash completion of coracle: source <(coracle completion bash)
_coracle() {
  local line words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  while IFS= read -r line; do
    [ -n "$line" ] && COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(coracle __complete -- "\${words[@]}" 2>/dev/null)
}
complete -o default -F _coracle coracle
`;

const zsh = `#compdef coracle
# zsh completion of coracle: source <(coracle completion zsh)
_coracle() {
  local -a found
  local line word
  while IFS= read -r line; do
    word="\${line%%$'\\t'*}"
    if [[ "$line" == *$'\\t'* ]]; then found+=("\${word//:/\\\\:}:\${line#*$'\\t'}"); else found+=("\${word//:/\\\\:}"); fi
  done < <(coracle __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe coracle found; else _files; fi
}
compdef _coracle coracle
`;

const fish = `# fish completion of coracle: coracle completion fish | source
function __coracle_complete
  set -l words (commandline -opc)
  coracle __complete -- $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c coracle -f -a '(__coracle_complete)'
`;

/** The scripts that make a shell ask \`coracle __complete\`. */
export const shellScripts = { bash, zsh, fish } as const;
