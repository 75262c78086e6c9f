#include "transports/emulated/matcher.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace ccl {

Matcher::Matcher(int sources) : sources_(std::bit_ceil(static_cast<size_t>(sources))) {
  Resize(64);
}

void Matcher::Resize(size_t places) {
  table_.assign(places, {});
  stride_ = std::max<size_t>(1, places / sources_);
}

size_t Matcher::Home(const Key& key) const {
  uint64_t hash = static_cast<uint32_t>(key.distance) * 0x9e3779b97f4a7c15u;
  hash ^= (static_cast<uint64_t>(key.context) << 16 | key.channel) * 0xc2b2ae3d27d4eb4fu;
  hash *= 0xd6e8feb86659fd93u;
  return ((hash >> 32) + static_cast<uint32_t>(key.src) * stride_) & (table_.size() - 1);
}

uint32_t Matcher::Find(const Key& key) {
  const size_t mask = table_.size() - 1;
  size_t place = Home(key);
  for (; table_[place].head != kNone; place = (place + 1) & mask) {
    if (table_[place].key == key) return static_cast<uint32_t>(place);
  }
  if (2 * (size_ + 1) > table_.size()) {
    Grow();
    return Find(key);
  }
  ++size_;
  table_[place].key = key;
  return static_cast<uint32_t>(place);
}

void Matcher::Grow() {
  const std::vector<Waiting> old = std::move(table_);
  Resize(2 * old.size());
  const size_t mask = table_.size() - 1;
  for (const Waiting& waiting : old) {
    if (waiting.head == kNone) continue;
    size_t place = Home(waiting.key);
    while (table_[place].head != kNone) place = (place + 1) & mask;
    table_[place] = waiting;
  }
}

// Moves up whatever the walk from its home would no longer reach.
void Matcher::Erase(uint32_t place) {
  const size_t mask = table_.size() - 1;
  size_t hole = place;
  for (size_t next = (hole + 1) & mask; table_[next].head != kNone; next = (next + 1) & mask) {
    const size_t home = Home(table_[next].key);
    if (((next - home) & mask) < ((next - hole) & mask)) continue;
    table_[hole] = table_[next];
    hole = next;
  }
  table_[hole].head = table_[hole].tail = kNone;
  --size_;
}

}  // namespace ccl
