#include "transports/staging.h"

#include <new>

namespace ccl {
namespace {

constexpr std::align_val_t kAlignment{64};

}  // namespace

Staging::~Staging() {
  while (all_ != nullptr) Free(reinterpret_cast<std::byte*>(all_ + 1));
}

void Staging::Unlink(std::byte* data) {
  Head* const head = reinterpret_cast<Head*>(data) - 1;
  *head->place = head->next;
  if (head->next != nullptr) head->next->place = head->place;
}

void Staging::Free(std::byte* data) {
  Unlink(data);
  operator delete(reinterpret_cast<Head*>(data) - 1, kAlignment);
}

Staging::Block Staging::Take(size_t bytes) {
  Block block;
  while (SizeOf(block.size_class) < bytes) ++block.size_class;
  std::vector<std::byte*>& blocks = free_[block.size_class];
  if (!blocks.empty()) {
    block.data = blocks.back();
    blocks.pop_back();
    retained_ -= SizeOf(block.size_class);
    return block;
  }
  Head* const head = new (operator new(sizeof(Head) + SizeOf(block.size_class), kAlignment)) Head{all_, &all_};
  if (all_ != nullptr) all_->place = &head->next;
  all_ = head;
  block.data = reinterpret_cast<std::byte*>(head + 1);
  return block;
}

void Staging::Give(Block block) {
  if (retained_ + SizeOf(block.size_class) > retained_limit_) return Free(block.data);
  free_[block.size_class].push_back(block.data);
  retained_ += SizeOf(block.size_class);
}

void Staging::Abandon(Block block) { Unlink(block.data); }

}  // namespace ccl
