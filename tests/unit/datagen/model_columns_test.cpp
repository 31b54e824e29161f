#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "datagen.hpp"

namespace {

using iotstream::datagen::default_seed;
using iotstream::datagen::GeneratedFile;

std::vector<std::string> header_of(const GeneratedFile& file, char separator) {
  std::vector<std::string> names(1);
  for (const char c : file.bytes.substr(0, file.bytes.find_first_of("\r\n"))) {
    if (c == separator) {
      names.emplace_back();
    } else {
      names.back().push_back(c);
    }
  }
  return names;
}

/// The values of `<field name="Field">` in the order of the document.
std::vector<std::string> fields_of(std::string_view model_name) {
  std::ifstream stream(std::string(IOTSTREAM_SOURCE_DIR) + "/config/models/" + std::string(model_name), std::ios::binary);
  REQUIRE(stream);
  const std::string xml(std::istreambuf_iterator<char>(stream), {});
  const std::string_view opening = "<field name=\"Field\">";
  std::vector<std::string> names;
  for (std::size_t at = xml.find(opening); at != std::string::npos; at = xml.find(opening, at)) {
    at += opening.size();
    names.push_back(xml.substr(at, xml.find("</field>", at) - at));
  }
  return names;
}

}  // namespace

TEST_CASE("a shipped model lists the columns of its recordings in their order, then the code", "[datagen]") {
  const auto check = [](const std::vector<GeneratedFile>& files, char separator, std::string_view model) {
    const std::vector<std::string> fields = fields_of(model);
    for (const GeneratedFile& file : files) {
      INFO(file.path);
      std::vector<std::string> columns = header_of(file, separator);
      columns.emplace_back("code");
      CHECK(columns == fields);
    }
  };
  check(iotstream::datagen::generate_x46789(default_seed), ';', "X46789.xml");
  check(iotstream::datagen::generate_wt200(default_seed), ',', "WT200.xml");
}
