#include "datagen.hpp"

#include <iterator>
#include <utility>

namespace iotstream::datagen {

std::vector<GeneratedFile> generate_all(std::uint64_t seed) {
  std::vector<GeneratedFile> all = generate_x46789(seed);
  for (auto* generate : {&generate_corolla, &generate_wt200}) {
    std::vector<GeneratedFile> files = generate(seed);
    all.insert(all.end(), std::make_move_iterator(files.begin()), std::make_move_iterator(files.end()));
  }
  return all;
}

}  // namespace iotstream::datagen
