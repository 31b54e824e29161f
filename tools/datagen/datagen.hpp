#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// The synthetic recordings that the project ships in data/.
///
/// Every byte is a function of (seed, file, row): no clock, no locale, no library random numbers, no libm function whose last
/// bit may differ between machines (only + - * / and the correctly rounded std::sqrt and std::floor).
namespace iotstream::datagen {

/// The seed that made the committed files.
inline constexpr std::uint64_t default_seed = 20180119;

/// One whole file, held in memory.
struct GeneratedFile {
  /// Relative to the data directory, `/` separated, e.g. `x46789/X46789_2018-01-19T05-37-42.612Z.csv`.
  std::string path;
  std::string bytes;
};

/// Fifteen recordings of a hydrostatic work machine, ten seconds each at about 10 Hz; `;` separated, LF.
std::vector<GeneratedFile> generate_x46789(std::uint64_t seed);

/// One Torque log of a car: 200 km from Ankara to Lake Abant in an evening at about 1 Hz; `,` separated, LF.
std::vector<GeneratedFile> generate_corolla(std::uint64_t seed);

/// Two half hours of a wind turbine with its met mast at 1 Hz; RFC 4180 (`,`, quotes, CRLF).
std::vector<GeneratedFile> generate_wt200(std::uint64_t seed);

/// All of the above, in the order above.
std::vector<GeneratedFile> generate_all(std::uint64_t seed);

}  // namespace iotstream::datagen
