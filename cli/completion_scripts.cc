#include <array>
#include <utility>

#include "cli/completion.h"

namespace mlops::cli {
namespace {

// Readline breaks words at "@", ":" and "=" and replaces only what follows, so the words are taken from COMP_LINE and
// the part before the last such character is cut from the candidates.
constexpr std::string_view kBash = R"sh(# bash completion for mlopsctl; load with: source <(mlopsctl completion bash)
_mlopsctl() {
  local line=${COMP_LINE:0:COMP_POINT} current kept candidate directive
  local -a words
  read -r -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[${#words[@]}-1]}
  kept=${current%"${current##*[${COMP_WORDBREAKS//[[:space:]\"\'\\]/}]}"}
  COMPREPLY=()
  while IFS= read -r candidate; do
    case $candidate in
      :*) directive=$candidate ;;
      *) candidate=${candidate%%$'\t'*}; COMPREPLY+=("${candidate#"$kept"}") ;;
    esac
  done < <("${words[0]}" __complete -- "${words[@]:1}" 2>/dev/null)
  case $directive in
    :files*) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "${current#"$kept"}")) ;;
    :dirs*) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -d -- "${current#"$kept"}")) ;;
  esac
  [[ $directive == *+nospace ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _mlopsctl mlopsctl
)sh";

constexpr std::string_view kZsh = R"sh(#compdef mlopsctl
# zsh completion for mlopsctl; load with: source <(mlopsctl completion zsh)
_mlopsctl() {
  local line value directive
  local -a values shown suffix
  while IFS= read -r line; do
    case $line in
      :*) directive=$line ;;
      *)
        value=${line%%$'\t'*}
        values+=("$value")
        [[ $line == *$'\t'* ]] && shown+=("$value  -- ${line#*$'\t'}") || shown+=("$value")
        ;;
    esac
  done < <("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  [[ $directive == *+nospace ]] && suffix=(-S '')
  (( ${#values} )) && compadd "${suffix[@]}" -l -d shown -a values
  case $directive in
    :files*) _files ;;
    :dirs*) _files -/ ;;
  esac
}
if [ "${funcstack[1]}" = "_mlopsctl" ]; then
  _mlopsctl "$@"
else
  compdef _mlopsctl mlopsctl
fi
)sh";

constexpr std::string_view kFish = R"sh(# fish completion for mlopsctl; load with: mlopsctl completion fish | source
function __mlopsctl_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in ($words[1] __complete -- $words[2..-1] 2>/dev/null)
    switch $line
      case ':files*'
        __fish_complete_path (commandline -ct)
      case ':dirs*'
        __fish_complete_directories (commandline -ct)
      case ':*'
      case '*'
        echo -- $line
    end
  end
end
complete -c mlopsctl -f -a '(__mlopsctl_complete)'
)sh";

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kScripts{{
    {"bash", kBash},
    {"zsh", kZsh},
    {"fish", kFish},
}};

}  // namespace

std::string_view completion_script(std::string_view shell) {
  for (const auto& [name, script] : kScripts) {
    if (name == shell) return script;
  }
  return {};
}

}  // namespace mlops::cli
