// The rules of the house that no compiler checks: which room may include which, and what no source file may hold.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace iotstream::tidy {

/// The rooms in their order: each may include those before it.
const std::vector<std::string>& rooms();

/// Everything in the tree below `root` that breaks a rule, one sentence each, beginning with `file:line:`:
/// - a room includes one that comes after it, or a consumer (store, live, alert, sink) another consumer;
/// - a file includes the inside of another room, a public header any inside, or something by a path that does not name its
/// room;
/// - rooms include each other in a circle;
/// - a folder is no room; a room with sources has no README.md;
/// - a header has no `#pragma once`; a source file holds a word that marks unfinished work.
/// Also tells when there is nothing to check: a wrong `root` is no clean house.
std::vector<std::string> check(const std::filesystem::path& root);

}  // namespace iotstream::tidy
