// iotstream report FILE… --output report.html: CSV files side by side as one page, without a server or a data directory.
#include <cstdio>
#include <filesystem>
#include <unistd.h>

#include <fmt/format.h>

#include <iotstream/catalog/catalog.hpp>
#include <iotstream/catalog/files.hpp>
#include <iotstream/os/disk.hpp>
#include <iotstream/report/report.hpp>

#include "app/questions.hpp"

namespace iotstream::app {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 64;  ///< side by side: more is no page that anybody reads

/// A folder that is removed in the end.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> make() {
    std::error_code failed;
    const fs::path base = fs::temp_directory_path(failed);
    if (failed) return Error{ErrorKind::io, "TMPDIR names no folder"};
    std::string name = base / "iotstream-report-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr)
      return Error{ErrorKind::io, fmt::format("no temporary folder can be made in {}", base.string())};
    return TemporaryFolder(std::move(name));
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Result<std::vector<std::string>> input_files(const ReportArguments& arguments) {
  auto files = config::expand(arguments.files);
  if (!files) return files;
  if (files->empty()) return Error{ErrorKind::invalid, "no file fits"};
  if (files->size() > files_max)
    return Error{ErrorKind::invalid, fmt::format("{} files: at most {} stand side by side", files->size(), files_max)};
  return files;
}

/// By the rules of imports, each file as a prototype of its own.
Status load(catalog::Catalog& catalog, const std::vector<std::string>& files, ProgressBar& bar) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    catalog::Prototype prototype;
    prototype.code = prototype.dataset = fmt::format("file {}", i + 1);
    if (auto put = catalog.put(prototype); !put) return put;
    auto report = catalog.import_csv(prototype.code, files[i], [&](std::uint64_t done, std::uint64_t total) {
      bar.show(files[i], done, total);
      return true;
    });
    if (!report) return Error{report.error().kind, fmt::format("{}: {}", files[i], report.error().message)};
  }
  return {};
}

Result<std::string> page_of(const ReportArguments& arguments, const std::vector<std::string>& names,
                            const std::string& folder) {
  os::Clock& clock = os::system_clock();
  metrics::Table metrics;
  catalog::Schemas schemas;
  auto catalog = catalog::Catalog::open(folder, schemas, clock, metrics);
  if (!catalog) return catalog.error();
  ProgressBar bar;
  if (auto loaded = load(**catalog, names, bar); !loaded) return loaded.error();
  auto list = catalog::list_files(folder);
  if (!list) return list.error();
  std::vector<std::unique_ptr<catalog::FileRows>> files;
  for (const catalog::FileInfo& info : *list) {
    auto file = catalog::open_file(folder, info.id, schemas);
    if (!file) return file.error();
    files.push_back(std::move(*file));
  }
  report::Options options;
  options.title = arguments.title;
  if (options.title.empty())
    options.title = names.size() == 1 ? fs::path(names[0]).filename().string() : fmt::format("{} recordings", names.size());
  options.made = clock.now();
  options.program = "iotstream " IOTSTREAM_VERSION;
  return report::write_report(files, options, [](std::size_t) { return true; });
}

/// Through a file beside it: what was there before stays whole when the disk is full.
Status write_file(const std::string& path, const std::string& text) {
  if (path == "-") {
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    return written ? Status{} : Status(Error{ErrorKind::io, "standard output cannot be written"});
  }
  auto written = os::write_atomically(os::real_disk(), path, as_bytes(text));
  return written ? Status{}
                 : Status(Error{written.error().kind, fmt::format("{} cannot be written: {}", path, written.error().message)});
}

}  // namespace

int report(const ReportArguments& arguments) {
  auto names = input_files(arguments);
  if (!names) return fail(names.error());
  auto folder = TemporaryFolder::make();
  if (!folder) return fail(folder.error());
  auto page = page_of(arguments, *names, folder->path());
  if (!page) return fail(page.error());
  if (auto written = write_file(arguments.output, *page); !written) return fail(written.error());
  if (arguments.output != "-")
    fmt::print("{}: {} file{}, {} kB\n", arguments.output, names->size(), names->size() == 1 ? "" : "s", page->size() / 1000);
  return 0;
}

}  // namespace iotstream::app
