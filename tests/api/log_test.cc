#include "ccl/base/log.h"

#include <string>

#include "gtest/gtest.h"

namespace ccl {
namespace {

bool Selects(const char* text, LogPart part) {
  return (SelectLogParts(text) >> static_cast<int>(part) & 1) != 0;
}

TEST(Log, PartsAreSelectedAsNcclDoes) {
  EXPECT_TRUE(Selects("", LogPart::kInit));
  EXPECT_TRUE(Selects("", LogPart::kEnv));
  EXPECT_FALSE(Selects("", LogPart::kColl));
  EXPECT_TRUE(Selects("coll,tuning", LogPart::kColl));
  EXPECT_FALSE(Selects("COLL,TUNING", LogPart::kInit));
  EXPECT_TRUE(Selects("ALL", LogPart::kDestroy));
  EXPECT_TRUE(Selects("GRAPH", LogPart::kGraph));
  EXPECT_FALSE(Selects("^COLL", LogPart::kColl));
  EXPECT_TRUE(Selects("^COLL", LogPart::kP2p));
  EXPECT_EQ(SelectLogParts("NVLS"), 0u);
}

TEST(Log, FileNamesHoldHostAndProcess) {
  EXPECT_EQ(LogFileName("log.%h.%p.txt", "node1", 42), "log.node1.42.txt");
}

}  // namespace
}  // namespace ccl
