#include "ccl/backend/copy.h"

#include <cstdint>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"

namespace ccl {
namespace {

// Of `bytes` from `from` to `to`, both counted from pages that are `apart` pages from each other: what was there
// comes, and nothing beside it changes.
void Check(size_t from, size_t to, size_t apart, size_t bytes) {
  constexpr size_t kPage = 4096;
  std::vector<char> memory(from + to + bytes + (apart + 2) * kPage);
  for (size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<char>(i * 131 >> 3);
  std::vector<char> expected = memory;
  const size_t page = -reinterpret_cast<uintptr_t>(memory.data()) % kPage;
  const size_t source = page + from, target = page + apart * kPage + to;
  ASSERT_LE(target + bytes, memory.size());
  std::memmove(expected.data() + target, expected.data() + source, bytes);
  Copy(memory.data() + target, memory.data() + source, bytes);
  EXPECT_TRUE(memory == expected) << bytes << " bytes from " << from << " to " << to << ", " << apart << " pages on";
}

TEST(Copy, WhereverBytesLie) {
  for (size_t bytes : {0, 1, 63, 2048, 2049, 2112, 4096, 4097, 40000}) {
    for (size_t from : {0, 1, 16}) {
      for (size_t to : {0, 1, 15, 16, 17, 31, 63, 64, 65}) {
        Check(from, to, 10, bytes);
        Check(from, to, 10 + bytes / 4096, bytes);
      }
    }
  }
  for (size_t bytes : {(8 << 20) - 1, 8 << 20}) Check(0, 16, 3000, bytes);
}

TEST(Copy, BytesMayOverlap) {
  for (size_t bytes : {100, 5000, 40000}) {
    for (size_t pages : {0, 1, 5}) {
      for (size_t to : {0, 16, 32, 64}) Check(0, to, pages, bytes);
    }
  }
  std::vector<char> memory(40000, 'a');
  for (size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<char>(i % 251);
  std::vector<char> expected = memory;
  std::memmove(expected.data(), expected.data() + 4080, 30000);  // backwards, and 16 on modulo a page
  Copy(memory.data(), memory.data() + 4080, 30000);
  EXPECT_TRUE(memory == expected);
}

}  // namespace
}  // namespace ccl
