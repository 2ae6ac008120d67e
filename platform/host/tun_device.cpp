#include "platform/host/tun_device.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

#include "platform/host/files.h"

namespace causeway::platform {
namespace {

constexpr const char* kTunFile = "/dev/net/tun";
constexpr int kVnetHeaderSize = 10;

Result<Descriptor> open_tun_file() {
  Descriptor tun(::open(kTunFile, O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (tun) return tun;
  switch (errno) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return fail(ErrorCode::kUnavailable, std::string(kTunFile) + " is missing",
                  "load the kernel's module: modprobe tun (a container must be given the device)");
    case EACCES:
    case EPERM:
      return fail_errno(errno, std::string("opening ") + kTunFile,
                        "start it as root (a container must be allowed the device)");
    default: return fail_errno(errno, std::string("opening ") + kTunFile);
  }
}

}  // namespace

Result<Descriptor> open_tun(const std::string& name) {
  auto tun = open_tun_file();
  if (!tun) return tun;
  ifreq request{};
  CAUSEWAY_ASSERT(name.size() < sizeof request.ifr_name);
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_flags = short(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL);
  if (::ioctl(tun->get(), TUNSETIFF, &request) != 0) {
    switch (errno) {
      case EBUSY:
      case EEXIST:
        return fail(ErrorCode::kConflict, "a device " + name + " exists and is not ours",
                    "remove it (ip link delete " + name + ") or rename the profile");
      case EPERM: return fail(ErrorCode::kPermission, "making a device needs CAP_NET_ADMIN", "start it as root");
      default: return fail_errno(errno, "making the device " + name);
    }
  }
  int header = kVnetHeaderSize;
  if (::ioctl(tun->get(), TUNSETVNETHDRSZ, &header) != 0) return fail_errno(errno, "setting the header of " + name);
  if (::ioctl(tun->get(), TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) != 0) {
    return fail_errno(errno, "setting the offloads of " + name);
  }
  return tun;
}

}  // namespace causeway::platform
