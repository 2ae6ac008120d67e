// What was changed on this machine for each profile, written and synced before it is changed, so that it can be undone by whoever
// starts next. Text, one change a line:
//
//   causeway-journal 1
//   where 5d5a…-boot-id 4026531840
//   table 7700 5000
//   device cw-demo
//   address 10.96.255.1
//   route 10.96.0.0/16
//   index 7
//
// `table`: the routing table that is ours alone, and the priority of the rules that name it. `index` is added once the device has been made. A line cut off by a crash does not count: what it names was not begun. Lines
// nobody understands are counted and passed over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "platform/host/route.h"

namespace causeway::platform {

// One profile's changes. Undone in reverse: the rules, the device, with which its addresses and routes go, then what the table holds
// besides.
struct Changes {
  std::string where;  // boot and network namespace, in which alone device numbers mean anything
  std::uint32_t table = 0;  // 0: none
  std::uint32_t priority = 0;
  std::string device;
  std::vector<packet::Address> addresses;
  std::vector<packet::Cidr> routes;
  unsigned index = 0;  // the device's; 0: it was not made
  unsigned unreadable = 0;

  std::string text() const;
  // None where it is not a journal, or one of a version that we do not know.
  static std::optional<Changes> parse(std::string_view text);
};

// This boot and this process's network namespace.
std::string whereabouts();

class Journal {
 public:
  // The folder exists and is ours alone.
  explicit Journal(std::string folder) : folder_(std::move(folder)) {}

  // Synced when it returns.
  Result<void> begin(std::string_view profile, const Changes& changes);
  Result<void> add_index(std::string_view profile, unsigned index);
  Result<void> end(std::string_view profile);

  // Removes what a crash left of a journal that was being written: what it names was not begun.
  void remove_unfinished() const;
  // Profiles with a journal.
  std::vector<std::string> left_over() const;
  Result<Changes> read(std::string_view profile) const;

 private:
  std::string file(std::string_view profile) const;
  std::string folder_;
};

}  // namespace causeway::platform
