// CSV files on their way into the catalog: uploads in pieces that are looked at before they are taken, whole bodies, and
// folders whose new files come in by themselves.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/bytes.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/catalog/catalog.hpp>
#include <iotstream/config/config.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/os/disk.hpp>

namespace iotstream::catalog {

enum class ImportState : unsigned char {
  receiving,  ///< pieces of an upload are awaited
  checking,   ///< all bytes are here and are looked at
  preview,    ///< looked at: waits to be accepted
  waiting,    ///< for the imports before it
  running,    ///< rows are being stored
  done,
  failed,
  cancelled,
};
std::string_view name_of(ImportState state);

/// What an import is to be called and where its rows go.
struct ImportRequest {
  std::string name;       ///< of the file, for messages
  std::string prototype;  ///< code; created when it is new
  std::string dataset;    ///< of a new prototype; empty: as the code
  std::string label;      ///< of a new prototype; empty: the code
  CsvChoices choices;
};

struct ImportStatus {
  std::uint64_t id = 0;  ///< never given again, not even after a restart
  ImportState state = ImportState::receiving;
  std::string source;  ///< `upload`, `body` or `folder`
  std::string name;
  std::string prototype;
  std::uint64_t bytes_total = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_done = 0;  ///< of the step at hand: looked at, or loaded
  Timestamp created;
  Timestamp changed;
  std::shared_ptr<const CsvPreview> preview;
  std::shared_ptr<const ImportReport> report;
  std::string problem;
  ErrorKind problem_kind = ErrorKind::invalid;

  /// Nothing happens any more unless somebody asks for it.
  bool settled() const {
    return state != ImportState::checking && state != ImportState::waiting && state != ImportState::running;
  }
};

struct ImportsOptions {
  std::string directory;  ///< for uploads; a file in it that no upload owns is removed
  std::uint64_t upload_bytes_max = 64ull << 30;
  std::size_t open_max = 100;                 ///< uploads and waiting imports at a time
  Duration keep = Duration::seconds(86'400);  ///< an upload that nobody touched for so long is removed
  std::vector<config::Watch> watches;
  /// A file of a watched folder is in the catalog. Called on the importing thread.
  std::function<void(const config::Watch&, const std::string& prototype)> loaded;
};

/// One thread of its own takes the files one after the other, and looks into the watched folders in between. All members from
/// any thread; append() waits for the disk, the others for a lock only.
class Imports {
 public:
  virtual ~Imports() = default;

  /// Uploads of a former process are there again, as far as their bytes came. All references outlive it. Errors: io.
  static Result<std::unique_ptr<Imports>> open(ImportsOptions options, Catalog& catalog, os::Disk& disk, os::Clock& clock,
                                               metrics::Table& metrics);
  /// Begins to look into the watched folders. Until then only uploads are dealt with.
  virtual void watch() = 0;
  /// Ends what runs (nothing of it stays) and the thread. Uploads stay for the next process.
  virtual void stop() = 0;

  /// An upload of `size` bytes. Errors: too_large, disk_full (twice its size must be free), busy (too many), io.
  virtual Result<ImportStatus> create(const ImportRequest& request, std::uint64_t size) = 0;
  /// The next bytes. What is there already may come again; a gap is a conflict, and the message says where to go on. The last
  /// byte begins the look. Errors: not_found, conflict, too_large (more than was announced), disk_full, io.
  virtual Result<ImportStatus> append(std::uint64_t id, std::uint64_t offset, ByteView bytes) = 0;
  /// Looks again, by other choices. Errors: not_found, conflict (it is in another state).
  virtual Result<ImportStatus> look(std::uint64_t id, const CsvChoices& choices) = 0;
  /// Loads an upload that has been looked at. Empty members of `request` stay as they were said before. Errors: not_found,
  /// conflict, unprocessable (no prototype).
  virtual Result<ImportStatus> accept(std::uint64_t id, const ImportRequest& request) = 0;
  /// Loads a whole body without a preview. Errors: unprocessable, disk_full, busy, io.
  virtual Result<ImportStatus> load(const ImportRequest& request, std::string_view body) = 0;
  /// Cancels what is on its way, forgets what is not; files of uploads go. not_found.
  virtual Status remove(std::uint64_t id) = 0;

  virtual std::optional<ImportStatus> find(std::uint64_t id) const = 0;
  /// The newest first: all that are open and the last hundred that are not.
  virtual std::vector<ImportStatus> list() const = 0;
  /// Calls back once, when the import is settled (at once, if it is); from the importing thread otherwise.
  virtual void when_settled(std::uint64_t id, std::function<void(const ImportStatus&)> callback) = 0;
};

}  // namespace iotstream::catalog
