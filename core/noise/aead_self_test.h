// Whether an AEAD does what RFC 8439 says: asked before it is trusted with a record.
#pragma once

#include "core/noise/aead.h"

namespace causeway::noise {

// The example of RFC 8439, section 2.8.2; then texts of many sizes as `reference` seals them, both ways, and with a bit of
// the tag changed. Takes less than a millisecond.
bool passes_self_test(Aead& aead, Aead& reference);

}  // namespace causeway::noise
