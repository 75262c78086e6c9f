#include "ccl/exec/signal_board.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ccl {

class WaitSignals final : public Work {
 public:
  WaitSignals(std::shared_ptr<SignalBoard> board, int rank, std::vector<SignalWish> wishes)
      : board_(std::move(board)), rank_(rank), wishes_(std::move(wishes)) {}
  ~WaitSignals() override { std::erase(board_->waiting_, this); }
  void Start(Backend&) override {
    done_ = board_->Take(wishes_);
    if (!done_) board_->waiting_.push_back(this);
  }
  void Complete(uint64_t, Backend&) override { done_ = true; }
  bool done() const override { return done_; }
  size_t outstanding() const override { return 0; }
  std::string Describe() const override {
    std::string text = absl::StrCat("rank ", rank_, " waits for");
    for (size_t i = 0; i < wishes_.size() && i < 8; ++i) {
      absl::StrAppend(&text, i == 0 ? " " : ", ", wishes_[i].count, " signals of rank ", wishes_[i].peer);
    }
    return text;
  }
  const std::vector<SignalWish>& wishes() const { return wishes_; }
  void GoOn() { workspace().ready.push_back(Token(0)); }

 private:
  const std::shared_ptr<SignalBoard> board_;
  const int rank_;
  const std::vector<SignalWish> wishes_;
  bool done_ = false;
};

void SignalBoard::Arrive(int peer, uint32_t number) {
  ++there_[{peer, number}];
  std::erase_if(waiting_, [&](WaitSignals* work) {
    if (!Take(work->wishes())) return false;
    work->GoOn();
    return true;
  });
}

bool SignalBoard::Take(const std::vector<SignalWish>& wishes) {
  std::map<std::pair<int, uint32_t>, uint64_t> wanted;  // a peer may be named twice
  for (const SignalWish& wish : wishes) wanted[{wish.peer, wish.number}] += wish.count;
  for (const auto& [from, count] : wanted) {
    const auto found = there_.find(from);
    if (count > (found == there_.end() ? 0 : found->second)) return false;
  }
  for (const auto& [from, count] : wanted) {
    const auto found = there_.find(from);
    if (found != there_.end() && (found->second -= count) == 0) there_.erase(found);
  }
  return true;
}

std::unique_ptr<Work> MakeWaitSignals(std::shared_ptr<SignalBoard> board, int rank,
                                      std::vector<SignalWish> wishes) {
  return std::make_unique<WaitSignals>(std::move(board), rank, std::move(wishes));
}

}  // namespace ccl
