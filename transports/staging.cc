#include "transports/staging.h"

#include <new>

namespace ccl {
namespace {

constexpr std::align_val_t kAlignment{64};

}  // namespace

Staging::~Staging() {
  for (std::vector<std::byte*>& blocks : free_) {
    for (std::byte* block : blocks) operator delete(block, kAlignment);
  }
}

Staging::Block Staging::Take(size_t bytes) {
  Block block;
  while (SizeOf(block.size_class) < bytes) ++block.size_class;
  std::vector<std::byte*>& blocks = free_[block.size_class];
  if (blocks.empty()) {
    block.data = static_cast<std::byte*>(operator new(SizeOf(block.size_class), kAlignment));
  } else {
    block.data = blocks.back();
    blocks.pop_back();
    retained_ -= SizeOf(block.size_class);
  }
  return block;
}

void Staging::Give(Block block) {
  if (retained_ + SizeOf(block.size_class) > retained_limit_) {
    operator delete(block.data, kAlignment);
    return;
  }
  free_[block.size_class].push_back(block.data);
  retained_ += SizeOf(block.size_class);
}

}  // namespace ccl
