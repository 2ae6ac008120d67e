#include "core/noise/aead.h"

namespace causeway::noise {

std::unique_ptr<Aead> libcrypto_aead() { return nullptr; }

}  // namespace causeway::noise
