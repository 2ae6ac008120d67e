#include "core/base/buffer.h"

#include <gtest/gtest.h>

namespace causeway {
namespace {

TEST(BufferPool, ABlockComesBackWithItsLastHandle) {
  BufferPool pool;
  Buffer first = pool.take(1000);
  const std::uint8_t* memory = first.data();
  EXPECT_EQ(pool.in_use(), 2048u);
  {
    Buffer second = first;
    EXPECT_FALSE(first.unique());
    first = Buffer();
    EXPECT_EQ(pool.in_use(), 2048u);
  }
  EXPECT_EQ(pool.in_use(), 0u);
  EXPECT_EQ(pool.take(2000).data(), memory) << "a freed block is used again";
}

TEST(BufferPool, ASmallSliceOfALargeBlockIsCopiedOutOfIt) {
  BufferPool pool;
  Slice slice{pool.take(BufferPool::kPacket), nullptr, 100};
  slice.data = slice.owner.data() + 50;
  std::memset(slice.owner.data(), 7, 200);
  Slice small = pool.compact(std::move(slice));
  EXPECT_EQ(small.size, 100u);
  EXPECT_EQ(small.data[99], 7);
  EXPECT_EQ(pool.in_use(), 256u);
}

TEST(BufferPool, ASliceThatUsesItsBlockIsHandedOnAsItIs) {
  BufferPool pool;
  Slice slice{pool.take(2048), nullptr, 1500};
  slice.data = slice.owner.data();
  const std::uint8_t* memory = slice.data;
  EXPECT_EQ(pool.compact(std::move(slice)).data, memory);
}

}  // namespace
}  // namespace causeway
