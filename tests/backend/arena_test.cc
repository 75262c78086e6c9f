#include "ccl/backend/arena.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "gtest/gtest.h"

namespace ccl {
namespace {

bool IsAligned(const void* memory, size_t to) { return reinterpret_cast<uintptr_t>(memory) % to == 0; }

TEST(Arena, GivesPagesThatDoNotOverlap) {
  Arena& arena = Arena::OfProcess();
  auto* const one = static_cast<char*>(arena.Allocate(1));
  auto* const two = static_cast<char*>(arena.Allocate(Arena::kPage + 1));
  auto* const large = static_cast<char*>(arena.Allocate(3 * Arena::kHuge + 5));
  ASSERT_TRUE(one != nullptr && two != nullptr && large != nullptr);
  EXPECT_TRUE(IsAligned(one, Arena::kPage) && IsAligned(two, Arena::kPage) && IsAligned(large, Arena::kHuge));
  std::memset(one, 1, Arena::kPage);
  std::memset(two, 2, 2 * Arena::kPage);
  std::memset(large, 3, 3 * Arena::kHuge + 5);
  EXPECT_EQ(one[Arena::kPage - 1], 1);
  EXPECT_EQ(two[0], 2);
  EXPECT_EQ(two[2 * Arena::kPage - 1], 2);
  EXPECT_TRUE(arena.Free(one) && arena.Free(large) && arena.Free(two));
}

// What has been freed comes again, as zeros, and neighbours as one.
TEST(Arena, TakesMemoryBack) {
  Arena& arena = Arena::OfProcess();
  void* const first = arena.Allocate(Arena::kPage);
  void* const second = arena.Allocate(2 * Arena::kPage);
  void* const third = arena.Allocate(Arena::kPage);
  std::memset(second, 7, 2 * Arena::kPage);
  EXPECT_TRUE(arena.Free(first) && arena.Free(third) && arena.Free(second));
  auto* const again = static_cast<char*>(arena.Allocate(4 * Arena::kPage));
  EXPECT_EQ(again, first);
  EXPECT_EQ(std::string(again, 4 * Arena::kPage), std::string(4 * Arena::kPage, '\0'));
  EXPECT_TRUE(arena.Free(again));
}

TEST(Arena, KnowsWhatIsItsOwn) {
  Arena& arena = Arena::OfProcess();
  int elsewhere = 0;
  EXPECT_FALSE(arena.Has(&elsewhere));
  auto* const memory = static_cast<char*>(arena.Allocate(2 * Arena::kPage));
  EXPECT_TRUE(arena.Has(memory + Arena::kPage));
  EXPECT_FALSE(arena.Free(memory + Arena::kPage)) << "not where it begins";
  EXPECT_TRUE(arena.Free(memory));
  EXPECT_FALSE(arena.Free(memory)) << "twice";
}

TEST(Arena, SaysWhatDoesNotFit) { EXPECT_EQ(Arena::OfProcess().Allocate(SIZE_MAX), nullptr); }

// Another mapping of the file is the same memory.
TEST(Arena, CanBeMapped) {
  Arena& arena = Arena::OfProcess();
  const ArenaPlace place = arena.place();
  ASSERT_GT(place.bytes, 0u);
  EXPECT_EQ(place.process, getpid());
  auto* const memory = static_cast<std::byte*>(arena.Allocate(Arena::kPage));
  std::memset(memory, 9, Arena::kPage);
  void* const other = mmap(nullptr, Arena::kPage, PROT_READ, MAP_SHARED, static_cast<int>(place.file),
                           memory - place.base);
  ASSERT_NE(other, MAP_FAILED);
  EXPECT_EQ(std::memcmp(other, memory, Arena::kPage), 0);
  munmap(other, Arena::kPage);
  EXPECT_TRUE(arena.Free(memory));
}

// A child has an arena of its own, sees its parent's memory, and cannot free it.
TEST(Arena, IsNotAForkedChilds) {
  auto* const memory = static_cast<char*>(Arena::OfProcess().Allocate(Arena::kPage));
  memory[0] = 5;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto* const own = static_cast<char*>(Arena::OfProcess().Allocate(Arena::kPage));
    bool right = own != nullptr && own != memory && memory[0] == 5 && Arena::OfProcess().Has(memory);
    if (own != nullptr) own[0] = 6;
    right = right && Arena::OfProcess().Free(memory) && memory[0] == 5;
    _exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(memory[0], 5);
  EXPECT_TRUE(Arena::OfProcess().Free(memory));
}

}  // namespace
}  // namespace ccl
