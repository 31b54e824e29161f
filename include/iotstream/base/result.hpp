// Errors as values. A room's door returns Result<T>; nothing throws across it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <iotstream/base/assert.hpp>

namespace iotstream {

/// What kind of failure it is: enough to choose an HTTP status or an exit status. The sentence is in Error::message.
enum class ErrorKind : unsigned char {
  invalid,        ///< malformed input: a syntax error, a wrong type, an impossible value (400, exit 2)
  unprocessable,  ///< well-formed, but cannot be taken (422)
  not_found,      ///< no such dataset, topic, device… (404)
  conflict,       ///< against what is there already: schema, generation, lock (409, exit 1)
  too_large,      ///< over a stated limit (413)
  unsupported,    ///< media type, encoding, format version (415)
  forbidden,      ///< not allowed from there (403)
  busy,           ///< back-pressure: try again later (429)
  unavailable,    ///< not ready, stopping, or read-only after a failed sync (503)
  disk_full,      ///< no space; ends by itself when space returns (507)
  io,             ///< the operating system refused (500, exit 1)
  corrupt,        ///< stored bytes fail their check (500, exit 1)
};

/// One clear sentence for a person, and its kind for a program. The sentence says what was wrong, where, and what to do.
struct Error {
  ErrorKind kind = ErrorKind::invalid;
  std::string message;
};

/// A value or an Error. Reading the one that is not there stops the process (IOTSTREAM_ASSERT), in release too.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& value() & {
    IOTSTREAM_ASSERT(ok(), "value of a failed result: {}", std::get<1>(state_).message);
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    IOTSTREAM_ASSERT(ok(), "value of a failed result: {}", std::get<1>(state_).message);
    return *std::get_if<0>(&state_);
  }
  T&& value() && { return std::move(value()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    IOTSTREAM_ASSERT(!ok(), "error of a result that holds a value");
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    IOTSTREAM_ASSERT(!ok(), "error of a result that holds a value");
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  const Error& error() const& {
    IOTSTREAM_ASSERT(!ok(), "error of a result without one");
    return *error_;
  }
  Error&& error() && {
    IOTSTREAM_ASSERT(!ok(), "error of a result without one");
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace iotstream
