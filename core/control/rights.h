// Who may do what over the control socket, and what of somebody else's things is shown. core/control/README.md has it as a table. Pure
// functions.
//
// Three kinds of people: root, members of tund's group, everybody else. What each may ask at all is privilege()'s; what belongs to
// somebody is ended by its owner and by root alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/control/message.h"

namespace causeway::control {

// Who asks, as the kernel says.
struct Asker {
  std::uint32_t user = 0;  // the number of the user
  bool member = false;     // of the group whose members may change things

  bool is_root() const { return user == 0; }
  bool may_change() const { return is_root() || member; }
};

// Whose a tunnel or an intercept is: the user who asked for it. None: the machine's own, which tund brought up by itself.
using Owner = std::optional<std::uint32_t>;

bool may_ask(const Asker& asker, const Request& request);
// Root everything, a member what is his own and what is nobody's.
bool may_end(const Asker& asker, const Owner& owner);
// `what`: "demo was brought up"; `owner_name`: "anna"; `how`: "`tunctl down demo`".
Error not_yours(const std::string& what, const std::string& owner_name, const std::string& how);

// How much of a thing its looker sees.
enum class View {
  kWhole,   // root and its owner; of what is nobody's, or from elsewhere, members too
  kMember,  // another member: all that helps to stay out of its way
  kOther,   // everybody else
};
View view_of(const Asker& asker, const Owner& owner);

// Take out of an answer what is not shown. What a condition is compared with becomes "…".
void cut(TunnelAnswer& tunnel, View view);
void cut(InterceptedAnswer& intercept, View view);

}  // namespace causeway::control
