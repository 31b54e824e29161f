// The files of uploads: bytes and what they are, so that a restart loses neither.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <iotstream/catalog/imports.hpp>
#include <iotstream/os/disk.hpp>

namespace iotstream::catalog {

/// What a restart must know of an upload.
struct StoredUpload {
  std::uint64_t id = 0;
  ImportRequest request;  ///< without choices
  std::uint64_t size = 0;
  std::uint64_t received = 0;
  Timestamp created;
  Timestamp changed;  ///< after load(): of the last piece
  std::string path;
};

/// `<directory>/<id>-<name>` holds the bytes, `<directory>/<id>.json` the rest. Any thread, one upload at a time.
class UploadFiles {
 public:
  UploadFiles(std::string directory, os::Disk& disk) : directory_(std::move(directory)), disk_(disk) {}

  /// Of a former process. What belongs to no upload is removed. Errors: io.
  Result<std::vector<StoredUpload>> load();
  /// Errors: disk_full, io.
  Status create(const StoredUpload& upload);
  Status append(const StoredUpload& upload, std::uint64_t offset, ByteView bytes);
  /// A file for a body that needs no restart.
  Status write_whole(const std::string& path, ByteView bytes);
  void remove(const StoredUpload& upload);
  std::string path_of(std::uint64_t id, std::string_view name) const;
  const std::string& directory() const { return directory_; }

 private:
  std::string record_path(std::uint64_t id) const;

  std::string directory_;
  os::Disk& disk_;
};

}  // namespace iotstream::catalog
