#include "core/base/buffer.h"

#include <gtest/gtest.h>

#include <vector>

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

TEST(BufferPool, GivesEverySizeUpToTheLargestAndTakesItBack) {
  BufferPool pool;
  for (std::size_t n : {std::size_t(0), std::size_t(1), std::size_t(256), std::size_t(257), std::size_t(2048), std::size_t(2049),
                        std::size_t(16384), BufferPool::kPacket, BufferPool::kPacket + 1, BufferPool::kLargest}) {
    Buffer buffer = pool.take(n);
    EXPECT_GE(buffer.capacity(), n);
    std::memset(buffer.data(), 0xab, buffer.capacity());
    EXPECT_EQ(pool.in_use(), buffer.capacity());
  }
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(BufferPool, KeepsABoundedAmountForReuse) {
  BufferPool pool;
  std::vector<Buffer> many;
  for (int i = 0; i < 200; ++i) many.push_back(pool.take(BufferPool::kLargest));
  EXPECT_EQ(pool.in_use(), 200 * BufferPool::kLargest);
  many.clear();
  EXPECT_EQ(pool.in_use(), 0u);
  EXPECT_TRUE(pool.take(BufferPool::kLargest));
}

TEST(Buffer, MovesAndCopiesCountItsHandles) {
  BufferPool pool;
  Buffer one = pool.take(100);
  Buffer two = std::move(one);
  EXPECT_FALSE(one);
  EXPECT_TRUE(two.unique());
  one = two;
  EXPECT_FALSE(two.unique());
  Buffer& same = one;
  one = same;
  EXPECT_EQ(one.data(), two.data());
  two = Buffer();
  EXPECT_TRUE(one.unique());
}

TEST(Slice, LosesItsPrefixAndKeepsItsBlock) {
  BufferPool pool;
  Slice slice = pool.copy(as_bytes("hello world"));
  slice.remove_prefix(6);
  EXPECT_EQ(as_text(slice.bytes()), "world");
  EXPECT_EQ(slice.cost(), 256u);
  slice.remove_prefix(5);
  EXPECT_EQ(slice.size, 0u);
  EXPECT_EQ(Slice().cost(), 0u);
}

}  // namespace
}  // namespace causeway
