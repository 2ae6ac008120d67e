// /etc/resolv.conf as others write it: whatever it says, what we put in its place gives it back.
#include "platform/host/resolv_conf.h"

#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace platform;

constexpr std::string_view kKeeper = "/var/lib/causeway/journal/resolver";

bool run(Bytes input) {
  std::string text(as_text(input));
  if (text.size() > kMaxResolvConf) return false;
  ResolvConf before = parse_resolv_conf(text);
  std::vector<packet::Address> ours{packet::Address::v4(10, 255, 0, 53)};
  std::string written = render_stand_in(text, {{"demo", ours}}, kKeeper);
  CAUSEWAY_ASSERT(is_stand_in(written, kKeeper));
  ResolvConf standing_in = parse_resolv_conf(written);
  CAUSEWAY_ASSERT(standing_in.servers == ours && standing_in.search == before.search);
  std::string back = original_of_stand_in(written);
  CAUSEWAY_ASSERT(back == text || back == text + '\n');
  CAUSEWAY_ASSERT(parse_resolv_conf(take_out(written, ours, text)).servers == before.servers);
  return !before.servers.empty();
}

std::vector<Seed> seeds() {
  return {{blob("nameserver 192.168.1.1\nnameserver fe80::1%eth0\nsearch home.example lan\noptions edns0\n")},
          {blob("; comment\n# comment\ndomain a.b\nnameserver\t::1 # behind\nsearch x\n\n")},
          {blob("#= nameserver 1.1.1.1\nnameserver 10.255.0.53")},
          {blob("nameserver nonsense\r\n"), false}};
}

const Registration kRegistration({"resolv_conf", run, seeds});

}  // namespace
}  // namespace causeway::fuzz
