// The parts of the MPI transport that need no MPI.
#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

#include "gtest/gtest.h"
#include "transports/mpi/head.h"
#include "transports/staging.h"
#include "transports/mpi/tag.h"

namespace ccl::mpi {
namespace {

TEST(TagScheme, SharesTheBitsOfOpenMpi) {
  const TagScheme tags(INT32_MAX);
  EXPECT_EQ(tags.channels(), 4096u);
  EXPECT_EQ(tags.contexts(), 524288u);
  EXPECT_TRUE(tags.Holds(524287, 4095));
  EXPECT_EQ(tags.Tag(524287, 4095), INT32_MAX);
  EXPECT_FALSE(tags.Holds(524288, 0));
  EXPECT_FALSE(tags.Holds(0, 4096));
}

TEST(TagScheme, TagsAreDistinctAndWithinTheBound) {
  for (int bound : {32767, 32768, 40000, 65535}) {
    const TagScheme tags(bound);
    std::set<int> seen;
    for (uint32_t context = 0; context < tags.contexts(); ++context) {
      for (uint32_t channel = 0; channel < tags.channels(); ++channel) {
        const int tag = tags.Tag(context, static_cast<uint16_t>(channel));
        EXPECT_GE(tag, 0);
        EXPECT_LE(tag, bound);
        EXPECT_TRUE(seen.insert(tag).second);
      }
    }
    EXPECT_GE(seen.size(), 32768u);
  }
}

TEST(Head, SegmentsCoverTheRestInOrder) {
  const uint64_t k = kSegmentBytes, h = kInlineBytes;
  for (uint64_t bytes : {uint64_t{0}, h - 1, h, h + 1, h + k - 1, h + k, h + k + 1, 7 * k + 5}) {
    uint64_t end = std::min(bytes, h);
    for (uint32_t i = 0; i < SegmentsOf(bytes); ++i) {
      EXPECT_EQ(SegmentStart(i), end);
      EXPECT_GT(SegmentSize(bytes, i), 0u);
      end += SegmentSize(bytes, i);
    }
    EXPECT_EQ(end, bytes);
  }
}

// How a receiver tells the head of a long message from a short message.
TEST(Head, OfALongMessageIsLongerThanAnyShortMessage) {
  EXPECT_GT(kLongestHead, HeadBytes(kInlineBytes));
  EXPECT_EQ(HeadBytes(kInlineBytes + 1), kLongestHead);
}

TEST(Staging, GivesBlocksOutAgain) {
  Staging staging(1 << 20);
  const Staging::Block a = staging.Take(1000);
  std::memset(a.data, 1, 1000);
  staging.Give(a);
  EXPECT_EQ(staging.retained(), 1024u);
  const Staging::Block b = staging.Take(1024);
  EXPECT_EQ(b.data, a.data);
  EXPECT_EQ(staging.retained(), 0u);
  staging.Give(b);
}

TEST(Staging, RetainsNoMoreThanItsLimit) {
  Staging staging(1 << 20);
  Staging::Block blocks[4];
  for (Staging::Block& block : blocks) block = staging.Take(400 << 10);
  for (const Staging::Block& block : blocks) staging.Give(block);
  EXPECT_EQ(staging.retained(), size_t{1} << 20);
}

TEST(Staging, EndsWithWhatIsOut) {  // a leak, else
  static std::byte* abandoned;
  Staging::Block kept;
  {
    Staging staging(1 << 20);
    Staging::Block blocks[5];
    for (Staging::Block& block : blocks) block = staging.Take(1000);
    staging.Give(blocks[1]);
    staging.Abandon(blocks[2]);
    kept = blocks[2];
    abandoned = kept.data;
  }
  kept.data[999] = std::byte{1};
  EXPECT_EQ(abandoned[999], std::byte{1});
}

}  // namespace
}  // namespace ccl::mpi
