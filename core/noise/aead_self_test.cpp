#include "core/noise/aead_self_test.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace causeway::noise {
namespace {

using Octets = std::vector<std::uint8_t>;

Aead::Key example_key() {
  Aead::Key key;
  for (std::size_t i = 0; i < key.size(); ++i) key.data()[i] = std::uint8_t(0x80 + i);
  return key;
}

constexpr Aead::Nonce kNonce{0x07, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47};
constexpr std::uint8_t kAssociated[] = {0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7};
constexpr std::string_view kPlain =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be "
    "it.";
constexpr std::uint8_t kSealed[] = {
    0xd3, 0x1a, 0x8d, 0x34, 0x64, 0x8e, 0x60, 0xdb, 0x7b, 0x86, 0xaf, 0xbc, 0x53, 0xef, 0x7e, 0xc2, 0xa4, 0xad, 0xed,
    0x51, 0x29, 0x6e, 0x08, 0xfe, 0xa9, 0xe2, 0xb5, 0xa7, 0x36, 0xee, 0x62, 0xd6, 0x3d, 0xbe, 0xa4, 0x5e, 0x8c, 0xa9,
    0x67, 0x12, 0x82, 0xfa, 0xfb, 0x69, 0xda, 0x92, 0x72, 0x8b, 0x1a, 0x71, 0xde, 0x0a, 0x9e, 0x06, 0x0b, 0x29, 0x05,
    0xd6, 0xa5, 0xb6, 0x7e, 0xcd, 0x3b, 0x36, 0x92, 0xdd, 0xbd, 0x7f, 0x2d, 0x77, 0x8b, 0x8c, 0x98, 0x03, 0xae, 0xe3,
    0x28, 0x09, 0x1b, 0x58, 0xfa, 0xb3, 0x24, 0xe4, 0xfa, 0xd6, 0x75, 0x94, 0x55, 0x85, 0x80, 0x8b, 0x48, 0x31, 0xd7,
    0xbc, 0x3f, 0xf4, 0xde, 0xf0, 0x8e, 0x4b, 0x7a, 0x9d, 0xe5, 0x76, 0xd2, 0x65, 0x86, 0xce, 0xc6, 0x4b, 0x61, 0x16,
    0x1a, 0xe1, 0x0b, 0x59, 0x4f, 0x09, 0xe2, 0x6a, 0x7e, 0x90, 0x2e, 0xcb, 0xd0, 0x60, 0x06, 0x91};

// Around the blocks of the cipher (64 bytes) and of the fast code's strides, and up to the longest record.
constexpr std::size_t kSizes[] = {0,   1,   15,  16,  17,  63,   64,   65,   127,  128,  129,  191,  192,   255,
                                  256, 257, 511, 512, 513, 1023, 1024, 1025, 1400, 2047, 4096, 4097, 16384, 65519};

bool does_the_example(Aead& aead) {
  const Aead::Key key = example_key();
  Octets text(kPlain.begin(), kPlain.end());
  text.resize(kPlain.size() + Aead::kTag);
  aead.seal(key, kNonce, kAssociated, text, kPlain.size());
  if (!std::equal(text.begin(), text.end(), std::begin(kSealed), std::end(kSealed))) return false;
  return aead.open(key, kNonce, kAssociated, text) && std::equal(kPlain.begin(), kPlain.end(), text.begin());
}

bool agrees(Aead& aead, Aead& reference, std::size_t size, Bytes associated) {
  const Aead::Key key = example_key();
  Octets plain(size + Aead::kTag);
  for (std::size_t i = 0; i < size; ++i) plain[i] = std::uint8_t(i * 7 + size);
  Octets sealed = plain, expected = plain;
  aead.seal(key, kNonce, associated, sealed, size);
  reference.seal(key, kNonce, associated, expected, size);
  if (sealed != expected) return false;
  Octets forged = sealed;
  forged[size + size % Aead::kTag] ^= std::uint8_t(1 << size % 8);
  if (!aead.open(key, kNonce, associated, sealed)) return false;
  if (!std::equal(sealed.begin(), sealed.begin() + std::ptrdiff_t(size), plain.begin())) return false;
  if (aead.open(key, kNonce, associated, forged)) return false;
  return std::all_of(forged.begin(), forged.begin() + std::ptrdiff_t(size),
                     [](std::uint8_t each) { return each == 0; });
}

}  // namespace

bool passes_self_test(Aead& aead, Aead& reference) {
  bool good = does_the_example(aead);
  for (std::size_t size : kSizes) {
    good = good && agrees(aead, reference, size, {}) && agrees(aead, reference, size, kAssociated);
  }
  return good;
}

}  // namespace causeway::noise
