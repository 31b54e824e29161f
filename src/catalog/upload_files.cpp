#include "catalog/upload_files.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <simdjson.h>
#include <unordered_set>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>

#include "catalog/csv_file.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::uint64_t record_bytes_max = 64 * 1024;
constexpr std::string_view record_ending = ".json";

std::string record_of(const StoredUpload& upload) {
  std::string text;
  json::Writer json(text);
  json.begin_object().key("name").value(upload.request.name).key("prototype").value(upload.request.prototype);
  json.key("dataset").value(upload.request.dataset).key("label").value(upload.request.label);
  json.key("size").value(upload.size).key("created").value(upload.created.us).end_object();
  return text;
}

std::optional<StoredUpload> upload_from(std::string_view text) try {
  simdjson::dom::parser parser;
  const simdjson::dom::element record = parser.parse(text.data(), text.size());
  const auto word = [&](const char* name) { return std::string(std::string_view(record[name])); };
  StoredUpload upload;
  upload.request = {word("name"), word("prototype"), word("dataset"), word("label"), {}};
  upload.size = record["size"];
  upload.created.us = record["created"];
  return upload;
} catch (const simdjson::simdjson_error&) {
  return std::nullopt;
}

/// A file name that cannot leave the folder.
std::string safe_name(std::string_view name) {
  std::string safe;
  for (const char c : name.substr(0, 100))
    safe += (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-') ? c : '_';
  return safe.empty() ? "upload.csv" : safe;
}

}  // namespace

std::string UploadFiles::record_path(std::uint64_t id) const { return fmt::format("{}/{}{}", directory_, id, record_ending); }

std::string UploadFiles::path_of(std::uint64_t id, std::string_view name) const {
  return fmt::format("{}/{}-{}", directory_, id, safe_name(name));
}

Result<std::vector<StoredUpload>> UploadFiles::load() {
  if (Status made = disk_.create_directories(directory_); !made) return std::move(made).error();
  auto names = disk_.list(directory_);
  if (!names) return names.error();
  std::vector<StoredUpload> uploads;
  std::unordered_set<std::string> owned;
  for (const std::string& name : *names) {
    if (!name.ends_with(record_ending)) continue;
    StoredUpload upload;
    const auto text = os::read_file(disk_, directory_ + "/" + name, record_bytes_max);
    auto read = text ? upload_from(*text) : std::nullopt;
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (!read || error != std::errc() || std::string_view(end) != record_ending) continue;
    upload = std::move(*read);
    upload.id = id;
    upload.path = path_of(id, upload.request.name);
    const auto stamp = stamp_of(upload.path);
    if (!stamp || stamp->size > upload.size) continue;
    upload.received = stamp->size;
    std::error_code ignored;
    const auto age = std::filesystem::file_time_type::clock::now() - std::filesystem::last_write_time(upload.path, ignored);
    upload.changed.us = -std::chrono::duration_cast<std::chrono::microseconds>(age).count();
    owned.insert(name);
    owned.insert(std::filesystem::path(upload.path).filename().string());
    uploads.push_back(std::move(upload));
  }
  for (const std::string& name : *names)
    if (!owned.contains(name)) static_cast<void>(disk_.remove(directory_ + "/" + name));
  return uploads;
}

Status UploadFiles::create(const StoredUpload& upload) {
  auto file = disk_.open(upload.path, os::OpenMode::create);
  if (!file) return file.error();
  const std::string record = record_of(upload);
  return os::write_atomically(disk_, record_path(upload.id), as_bytes(record));
}

Status UploadFiles::append(const StoredUpload& upload, std::uint64_t offset, ByteView bytes) {
  auto file = disk_.open(upload.path, os::OpenMode::read_write);
  if (!file) return file.error();
  if (Status written = (*file)->write_at(offset, bytes); !written) return written;
  return (*file)->sync();
}

Status UploadFiles::write_whole(const std::string& path, ByteView bytes) {
  if (Status made = disk_.create_directories(directory_); !made) return made;
  return os::write_atomically(disk_, path, bytes);
}

void UploadFiles::remove(const StoredUpload& upload) {
  static_cast<void>(disk_.remove(upload.path));
  if (disk_.exists(record_path(upload.id))) static_cast<void>(disk_.remove(record_path(upload.id)));
}

}  // namespace iotstream::catalog
