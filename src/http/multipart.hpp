// The file in a body of multipart/form-data, as forms and `curl -F` send it.
#pragma once

#include <string>
#include <string_view>

#include <iotstream/base/result.hpp>

namespace iotstream::http {

struct FilePart {
  std::string name;          ///< as the client calls the file; may be empty
  std::string_view content;  ///< within the body
};

bool is_multipart(std::string_view content_type);
/// The first part that is a file; without any, the first part. Errors: invalid (RFC 7578, RFC 2046).
Result<FilePart> file_in_multipart(std::string_view content_type, std::string_view body);

}  // namespace iotstream::http
