/**
 * What a shell sources to complete `ksnoop`. Each hands the words before the cursor to `ksnoop __complete` and shows what
 * comes back; none evaluates what is typed, none needs another package, and whatever goes wrong is silence.
 */
export const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# bash completion of ksnoop: source <(ksnoop completion bash)
_ksnoop_complete() {
  COMPREPLY=()
  local line value about directive=4
  while IFS=$'\\t' read -r value about; do
    case $value in
      :[0-9]*) directive=\${value#:} ;;
      ?*) COMPREPLY+=("$value") ;;
    esac
  done < <(ksnoop __complete --line "\${COMP_LINE:0:COMP_POINT}" --breaks "$COMP_WORDBREAKS" 2>/dev/null)
  if type compopt >/dev/null 2>&1; then
    (( directive & 2 )) && compopt -o nospace
    (( directive & 4 )) || compopt -o default
  fi
  return 0
}
complete -F _ksnoop_complete ksnoop
`,
  zsh: `#compdef ksnoop
# zsh completion of ksnoop: source <(ksnoop completion zsh), or as a file _ksnoop in a directory of fpath
_ksnoop() {
  local line value about directive=4
  local -a candidates nospace
  for line in "\${(@f)$(ksnoop __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :<-> ]]; then
      directive=\${line#:}
    elif [[ -n $line ]]; then
      value=\${line%%$'\\t'*}
      about=
      [[ $line == *$'\\t'* ]] && about=\${line#*$'\\t'}
      candidates+=("\${value//:/\\\\:}\${about:+:$about}")
    fi
  done
  (( directive & 2 )) && nospace=(-S '')
  if (( $#candidates )); then
    _describe -t ksnoop ksnoop candidates "\${nospace[@]}"
  elif (( !(directive & 4) )); then
    _files
  fi
}
if [[ $funcstack[1] == _ksnoop ]]; then
  _ksnoop "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _ksnoop ksnoop
fi
`,
  fish: `# fish completion of ksnoop: ksnoop completion fish | source
function __ksnoop_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    set -l files 0
    for line in (ksnoop __complete -- $words "$current" 2>/dev/null)
        if string match -qr '^:[0-9]+$' -- $line
            test (math "bitand("(string sub -s 2 -- $line)", 4)") -eq 0; and set files 1
        else
            printf '%s\\n' $line
        end
    end
    test $files -eq 1; and __fish_complete_path "$current"
    return 0
end
complete -c ksnoop -f -a '(__ksnoop_complete)'
`,
};
