// What a user of this machine is called.
#pragma once

#include <sys/types.h>

#include <string>

namespace causeway::platform {

// "anna", or "user 1000" where the file does not have it. From the file alone: a directory server might have to be asked by names,
// and names may be ours to answer.
std::string user_name(uid_t user, const std::string& passwd = "/etc/passwd");

}  // namespace causeway::platform
