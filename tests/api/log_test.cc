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

TEST(Log, SecretsOfUrlsAreNotShown) {
  EXPECT_EQ(WithoutSecret("tcp:?ranks=2&secret=000102030405060708090a0b0c0d0e0f&shm=no"),
            "tcp:?ranks=2&secret=(not shown)&shm=no");
  EXPECT_EQ(WithoutSecret("shm:?secret=0f"), "shm:?secret=(not shown)");
  EXPECT_EQ(WithoutSecret("tcp:secret=1&secret=2"), "tcp:secret=(not shown)&secret=(not shown)");
  for (const char* url : {"", "emulated:crossbar?ranks=4", "tcp:?secret"}) EXPECT_EQ(WithoutSecret(url), url);
}

}  // namespace
}  // namespace ccl
