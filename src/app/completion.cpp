// `iotstream completion`: scripts made from the command table, so that they cannot fall behind it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/commands.hpp"

namespace iotstream::app {

namespace {

using Commands = std::vector<std::pair<std::string, std::vector<std::string>>>;

std::string names_of(const Commands& commands) {
  std::string names;
  for (const auto& [name, options] : commands) names += (names.empty() ? "" : " ") + name;
  return names;
}

void bash(const Commands& commands) {
  fmt::print(
      "_iotstream() {{\n  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" command=\"${{COMP_WORDS[1]}}\" words\n  case "
      "\"$command\" in\n");
  for (const auto& [name, options] : commands) fmt::print("    {}) words=\"{}\" ;;\n", name, fmt::join(options, " "));
  fmt::print("    *) words=\"{} --config --set --help --version\" ;;\n  esac\n", names_of(commands));
  fmt::print(
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\") $(compgen -f -- \"$current\"))\n}}\ncomplete -o filenames -F "
      "_iotstream iotstream ./iotstream\n");
}

void zsh(const Commands& commands) {
  fmt::print(
      "#compdef iotstream\n_iotstream() {{\n  if (( CURRENT == 2 )); then\n    compadd -- {} --config --set --help --version\n "
      "   _files\n    return\n  fi\n",
      names_of(commands));
  fmt::print("  case \"$words[2]\" in\n");
  for (const auto& [name, options] : commands) fmt::print("    {}) compadd -- {} ;;\n", name, fmt::join(options, " "));
  fmt::print("  esac\n  _files\n}}\n_iotstream \"$@\"\n");
}

void fish(const Commands& commands) {
  for (const auto& [name, options] : commands) {
    fmt::print("complete -c iotstream -n __fish_use_subcommand -a {}\n", name);
    for (const std::string& option : options)
      fmt::print("complete -c iotstream -n '__fish_seen_subcommand_from {}' -l {}\n", name, option.substr(2));
  }
}

}  // namespace

int completion(const std::string& shell, const Commands& commands) {
  if (shell == "bash")
    bash(commands);
  else if (shell == "zsh")
    zsh(commands);
  else
    fish(commands);
  return 0;
}

}  // namespace iotstream::app
