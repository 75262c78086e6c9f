// The table of waiting operations against a map.
#include "transports/emulated/matcher.h"

#include <map>
#include <random>
#include <tuple>

#include "gtest/gtest.h"

namespace ccl {
namespace {

TEST(Matcher, FindsWhatIsThereAfterAnyErasures) {
  std::mt19937 random(1);
  Matcher matcher(64);
  std::map<std::tuple<uint32_t, int, int, int>, uint32_t> expected;
  for (int i = 0; i < 200000; ++i) {
    // Grows and shrinks by turns, so that walks cross the end of the table.
    const bool growing = i / 20000 % 2 == 0;
    const Matcher::Key key{static_cast<uint32_t>(random() % 2), static_cast<int>(random() % 64),
                           static_cast<int>(random() % 64), static_cast<uint16_t>(random() % 3)};
    const auto known = std::make_tuple(key.context, key.src, key.distance, int{key.channel});
    const auto found = expected.find(known);
    if (found == expected.end() && !growing) continue;
    const uint32_t place = matcher.Find(key);
    if (found == expected.end()) {
      ASSERT_EQ(matcher.at(place).head, Matcher::kNone);
      matcher.at(place).head = matcher.at(place).tail = expected[known] = static_cast<uint32_t>(i);
    } else {
      ASSERT_EQ(matcher.at(place).head, found->second);
      ASSERT_TRUE(matcher.at(place).key == key);
      if (growing) continue;
      matcher.Erase(place);
      expected.erase(found);
    }
    ASSERT_EQ(matcher.empty(), expected.empty());
  }
}

}  // namespace
}  // namespace ccl
