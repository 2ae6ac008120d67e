// The names under which addresses are looked up (RFC 1035, section 3.5; RFC 3596, section 2.5).
#pragma once

#include <optional>

#include "core/packet/address.h"
#include "dns/name.h"

namespace causeway::dns {

// The addresses that a reverse name stands for: "96.10.in-addr.arpa" is 10.96.0.0/16. Labels further left that are no part of an
// address are passed over (RFC 2317). None for any other name.
std::optional<packet::Cidr> reverse_prefix(const Name& name);

// The reverse name of one address ("5.0.96.10.in-addr.arpa"); none for any other name, that of a prefix too.
std::optional<packet::Address> reverse_address(const Name& name);
Name reverse_name(const packet::Address& address);

}  // namespace causeway::dns
