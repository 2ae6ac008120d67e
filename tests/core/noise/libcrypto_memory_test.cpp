// What libcrypto takes from the heap, and what it leaves there.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <vector>

#include "core/noise/cipher_state.h"

namespace causeway::noise {
namespace {

// Never destroyed: libcrypto frees its last blocks when the process ends.
std::map<void*, std::size_t>& blocks() {
  static auto& all = *new std::map<void*, std::size_t>;
  return all;
}
int allocations = 0;

void give_back(void* block, const char*, int) {
  blocks().erase(block);
  std::free(block);
}

void* resize(void* block, std::size_t size, const char*, int) {
  ++allocations;
  blocks().erase(block);
  block = std::realloc(block, size);
  if (block) blocks()[block] = size;
  return block;
}

void* take(std::size_t size, const char* file, int line) { return resize(nullptr, size, file, line); }

// Before libcrypto's first allocation, or it is refused.
const bool kCounted = CRYPTO_set_mem_functions(take, resize, give_back) == 1;

bool on_libcryptos_heap(Bytes secret) {
  return std::any_of(blocks().begin(), blocks().end(), [&](const auto& block) {
    const auto* begin = static_cast<const std::uint8_t*>(block.first);
    const auto* end = begin + block.second;
    return std::search(begin, end, secret.begin(), secret.end()) != end;
  });
}

class LibcryptoMemory : public testing::Test {
 protected:
  LibcryptoMemory() {
    for (std::size_t i = 0; i < 32; ++i) key.data()[i] = std::uint8_t(i * i + 5);
  }
  bool round(CipherState& seal, CipherState& open) {
    return seal.seal({}, record, 16384) && open.open({}, record);
  }

  Secret<32> key;
  std::vector<std::uint8_t> record = std::vector<std::uint8_t>(16384 + CipherState::kTag);
};

TEST_F(LibcryptoMemory, RecordsAllocateNothing) {
  ASSERT_TRUE(kCounted);
  CipherState seal(key.bytes()), open = seal;
  ASSERT_TRUE(round(seal, open));
  EXPECT_GT(allocations, 0);
  const int before = allocations;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(round(seal, open));
  std::vector<std::uint8_t> forged(16384 + CipherState::kTag);
  EXPECT_FALSE(open.open({}, forged));
  EXPECT_EQ(allocations, before);
}

TEST_F(LibcryptoMemory, WipingLeavesNoKeyOnItsHeap) {
  ASSERT_TRUE(kCounted);
  CipherState seal(key.bytes()), open = seal;
  ASSERT_TRUE(round(seal, open));
  EXPECT_TRUE(on_libcryptos_heap(key.bytes()));
  seal.wipe();
  EXPECT_FALSE(on_libcryptos_heap(key.bytes()));
}

TEST_F(LibcryptoMemory, NorDoesOneThatGoesWithoutBeingWiped) {
  ASSERT_TRUE(kCounted);
  {
    CipherState seal(key.bytes()), open = seal;
    ASSERT_TRUE(round(seal, open));
    EXPECT_TRUE(on_libcryptos_heap(key.bytes()));
  }
  EXPECT_FALSE(on_libcryptos_heap(key.bytes()));
}

}  // namespace
}  // namespace causeway::noise
