#include "http/multipart.hpp"

#include <optional>

namespace iotstream::http {

namespace {

/// `name="value"` or `name=value` of a header's parameters.
std::optional<std::string_view> parameter(std::string_view header, std::string_view name) {
  for (std::size_t at = header.find(name); at != std::string_view::npos; at = header.find(name, at + 1)) {
    const bool whole =
        at > 0 && (header[at - 1] == ' ' || header[at - 1] == ';') && header.substr(at + name.size()).starts_with('=');
    if (!whole) continue;
    std::string_view value = header.substr(at + name.size() + 1);
    if (!value.starts_with('"')) return value.substr(0, value.find_first_of("; \r\n"));
    value.remove_prefix(1);
    return value.substr(0, value.find('"'));
  }
  return std::nullopt;
}

}  // namespace

bool is_multipart(std::string_view content_type) { return content_type.starts_with("multipart/form-data"); }

Result<FilePart> file_in_multipart(std::string_view content_type, std::string_view body) {
  const auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty())
    return Error{ErrorKind::invalid, "the multipart body has no boundary in its Content-Type"};
  const std::string line = "--" + std::string(*boundary);
  std::optional<FilePart> first;
  std::size_t at = body.find(line);
  while (at != std::string_view::npos) {
    std::string_view rest = body.substr(at + line.size());
    if (rest.starts_with("--")) break;
    const std::size_t head_end = rest.find("\r\n\r\n");
    if (!rest.starts_with("\r\n") || head_end == std::string_view::npos) break;
    const std::string_view head = rest.substr(0, head_end);
    rest.remove_prefix(head_end + 4);
    const std::size_t end = rest.find("\r\n" + line);
    if (end == std::string_view::npos) return Error{ErrorKind::invalid, "the multipart body is cut short"};
    const auto name = parameter(head, "filename");
    FilePart part{std::string(name.value_or("")), rest.substr(0, end)};
    if (name) return part;
    if (!first) first = std::move(part);
    at = static_cast<std::size_t>(rest.data() - body.data()) + end + 2;
  }
  if (first) return std::move(*first);
  return Error{ErrorKind::invalid, "the multipart body has no part"};
}

}  // namespace iotstream::http
