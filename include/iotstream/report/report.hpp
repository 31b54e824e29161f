// A page that shows imported files side by side: one HTML file with its pictures inside, which opens without a server.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/catalog/files.hpp>

namespace iotstream::report {

struct Options {
  std::string title;
  Timestamp made;       ///< told at the end of the page
  std::string program;  ///< name and version, likewise
};

/// The page. Reads every file twice, in bounded memory; the page is bounded, too (lines are reduced to what can be seen, at
/// most 120 fields get pictures). Everything that comes from the files is escaped; there is no script in it. `progress` gets
/// the number of the file that is read; false ends the work (unavailable). Errors: those of FileRows::walk.
Result<std::string> write_report(const std::vector<std::unique_ptr<catalog::FileRows>>& files, const Options& options,
                                 const std::function<bool(std::size_t file)>& progress);

}  // namespace iotstream::report
