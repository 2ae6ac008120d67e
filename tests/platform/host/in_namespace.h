// Runs the body of a test as root in a network and a mount namespace of its own, in a child process: nothing of the machine is
// touched, and all of it is gone afterwards. What the body expects and does not find fails the test.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace causeway::platform::test {

// Skips the calling test where that cannot be done. The child has a tmpfs on /run, an empty /run/state, and lo up.
void in_namespace(const std::function<void()>& body);

// The output of a command; fails the test where it fails.
std::string run(const std::string& command);
void write_text(const std::string& path, const std::string& text);
std::string read_text(const std::string& path);

// The kernel makes an IPv6 address's entry in the local table a moment after the address.
void wait_for_local_route(const std::string& address);

// All that `ip` knows of addresses, links, routes and rules.
std::string network_snapshot();

}  // namespace causeway::platform::test
