// The house keeps its rules; and the inspector sees each of them broken in a tree made up for it.
#include "tidy/house.hpp"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "support/temporary_directory.hpp"

using namespace iotstream;
using Found = std::vector<std::string>;

namespace {

class Tree {
 public:
  Tree() {
    write("src/base/README.md", "");
    write("src/base/good.cpp", "#include <iotstream/base/good.hpp>\n#include \"base/inside.hpp\"\n");
    write("include/iotstream/base/good.hpp", "#pragma once\n");
  }
  void write(const std::string& path, const std::string& text) const {
    const std::string full = directory_ / path;
    std::filesystem::create_directories(std::filesystem::path(full).parent_path());
    std::ofstream(full) << text;
  }
  Found check() const { return tidy::check(directory_.path()); }

 private:
  test::TemporaryDirectory directory_;
};

}  // namespace

TEST_CASE("this house keeps its rules") { CHECK(tidy::check(IOTSTREAM_SOURCE_DIR) == Found{}); }

TEST_CASE("a good tree has nothing to tell") {
  const Tree tree;
  tree.write("src/os/README.md", "");
  tree.write("src/os/a.cpp", "#include <iotstream/base/good.hpp>\n#include <vector>\n#include <fmt/format.h>\n");
  CHECK(tree.check() == Found{});
}

TEST_CASE("an empty folder is no clean house") {
  const test::TemporaryDirectory directory;
  CHECK(tidy::check(directory.path()) == Found{".:0: there is no source file to check"});
}

TEST_CASE("a room that includes a later one is found, and the circle they make") {
  const Tree tree;
  tree.write("src/base/bad.cpp", "\n #  include <iotstream/os/disk.hpp>\n");
  CHECK(tree.check() == Found{"src/base/bad.cpp:2: 'base' includes 'os', which comes after it"});
  tree.write("src/os/README.md", "");
  tree.write("src/os/a.cpp", "#include <iotstream/base/good.hpp>\n");
  CHECK(tree.check() == Found{"src/base/bad.cpp:2: 'base' includes 'os', which comes after it",
                              "src/base:0: 'base' includes itself in a circle", "src/os:0: 'os' includes itself in a circle"});
}

TEST_CASE("consumers that include each other are found, whichever comes first") {
  const Tree tree;
  tree.write("src/live/README.md", "");
  tree.write("src/live/a.cpp", "#include <iotstream/store/store.hpp>\n");
  CHECK(tree.check() == Found{"src/live/a.cpp:1: the consumer 'live' includes the consumer 'store'"});
}

TEST_CASE("the inside of another room is out of bounds, and so are paths without a room") {
  const Tree tree;
  tree.write("src/os/README.md", "");
  tree.write("src/os/a.cpp", "#include \"base/inside.hpp\"\n#include \"b.hpp\"\n#include \"../base/inside.hpp\"\n");
  CHECK(tree.check() == Found{"src/os/a.cpp:1: 'os' includes the inside of 'base': \"base/inside.hpp\"",
                              "src/os/a.cpp:2: \"b.hpp\" must be written with its room: \"os/…\"",
                              "src/os/a.cpp:3: \"../base/inside.hpp\" must be written with its room: \"os/…\""});
}

TEST_CASE("a public header that includes an inside is found, and one without #pragma once") {
  const Tree tree;
  tree.write("include/iotstream/base/bad.hpp", "#include \"base/inside.hpp\"\n");
  CHECK(tree.check() == Found{"include/iotstream/base/bad.hpp:1: a public header includes \"base/inside.hpp\"",
                              "include/iotstream/base/bad.hpp:1: the header has no #pragma once"});
}

TEST_CASE("a room without README.md is found, also when it is only headers") {
  const Tree tree;
  tree.write("src/os/a.cpp", "");
  tree.write("include/iotstream/log/log.hpp", "#pragma once\n");
  CHECK(tree.check() == Found{"src/log:0: the room has no README.md", "src/os:0: the room has no README.md"});
}

TEST_CASE("what is no room is found") {
  const Tree tree;
  tree.write("src/utils/a.cpp", "");
  tree.write("src/base/bad.cpp", "#include <iotstream/helpers/a.hpp>\n");
  CHECK(tree.check() == Found{"src/base/bad.cpp:1: 'helpers' is no room", "src/utils:0: 'utils' is no room"});
}

TEST_CASE("words that mark unfinished work are found wherever sources are, and only as words") {
  const Tree tree;
  const std::string first = std::string("TO") + "DO";
  const std::string second = std::string("FIX") + "ME";
  tree.write("src/base/bad.cpp", "// " + first + ": x\n// x" + first + "\n");
  tree.write("tests/a.cpp", "/*" + second + "*/\nchar t[] = \"XXXXXX\";\n");
  tree.write("web/src/a.ts", "// " + first + "\n");
  tree.write("web/node_modules/b.ts", "// " + first + "\n");
  CHECK(tree.check() == Found{"src/base/bad.cpp:1: unfinished: " + first, "tests/a.cpp:1: unfinished: " + second,
                              "web/src/a.ts:1: unfinished: " + first});
}
