// What a host or peer that says no is turned into: a reason that a person can act on.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace causeway {

// Says what kind of no it was; tunctl derives its exit code from it.
enum class ErrorCode {
  kInvalid,      // an argument, file or message is malformed
  kPermission,   // the caller or this process may not do that
  kNotFound,     // a file, profile or name that does not exist
  kUnavailable,  // something that should be there is not reachable, or the kernel lacks it
  kRefused,      // the peer answered, and said no
  kTimedOut,     // nobody answered in time
  kProtocol,     // the peer broke the protocol
  kConflict,     // it collides with what is there already
  kLimit,        // a configured bound was reached
  kSystem,       // a system call failed for another reason
};

struct Error {
  ErrorCode code = ErrorCode::kInvalid;
  std::string message;  // what happened, one line, no trailing period
  std::string advice;   // what to do about it; may be empty

  // Adds where it happened, outermost first: "while reading the profile: no such file".
  [[nodiscard]] Error in(std::string_view doing) && {
    message.insert(0, std::string(doing) + ": ");
    return std::move(*this);
  }
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string advice = {}) {
  return tl::make_unexpected(Error{code, std::move(message), std::move(advice)});
}

}  // namespace causeway
