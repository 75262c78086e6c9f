#include "ccl/exec/gathering.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace ccl {

class Meeting::Part final : public Work {
 public:
  Part(std::shared_ptr<Meeting> meeting, int member, std::string what,
       std::shared_ptr<Gathering> gathering)
      : meeting_(std::move(meeting)),
        member_(member),
        what_(std::move(what)),
        gathering_(std::move(gathering)) {}
  ~Part() override { meeting_->works_[static_cast<size_t>(member_)] = nullptr; }

  void Start(Backend&) override {
    meeting_->works_[static_cast<size_t>(member_)] = this;
    if (++meeting_->started_ < meeting_->works_.size()) return;
    for (Part* part : meeting_->works_) {
      if (part == nullptr) continue;
      workspace().ready.push_back(part->Token(0));
    }
  }
  void Complete(uint64_t, Backend&) override { gathering_->said = meeting_->said_; }
  bool done() const override { return gathering_->said != nullptr; }
  size_t outstanding() const override { return 0; }
  std::string Describe() const override {
    std::string text = absl::StrCat("rank ", member_, " in ", what_, ": waits for");
    int shown = 0;
    for (size_t i = 0; i < meeting_->works_.size() && shown < 8; ++i) {
      if (meeting_->works_[i] != nullptr) continue;
      absl::StrAppend(&text, " ", i);
      ++shown;
    }
    return text;
  }

 private:
  const std::shared_ptr<Meeting> meeting_;
  const int member_;
  const std::string what_;
  const std::shared_ptr<Gathering> gathering_;
};

std::unique_ptr<Work> Meeting::Join(std::shared_ptr<Meeting> meeting, int member, std::string says,
                                    std::string what, std::shared_ptr<Gathering> gathering) {
  (*meeting->said_)[static_cast<size_t>(member)] = std::move(says);
  meeting->joined_[static_cast<size_t>(member)] = true;
  ++meeting->count_;
  return std::make_unique<Part>(std::move(meeting), member, std::move(what), std::move(gathering));
}

namespace {

// An allgather that owns its buffers.
class Allgather final : public Work {
 public:
  Allgather(std::shared_ptr<const Program> program, int member, uint32_t context, RankMap map,
            std::string says, std::shared_ptr<Gathering> gathering)
      : members_(program->info().ranks),
        in_(std::move(says)),
        out_(in_.size() * static_cast<size_t>(members_), 0),
        gathering_(std::move(gathering)),
        run_(std::move(program), member, context,
             {Collective::kAllGather, DataType::kInt8, ReduceOp::kSum, in_.size(), 0, in_.data(),
              out_.data()},
             std::move(map)) {}

  void Start(Backend& backend) override {
    run_.Prepare(Token(0) >> kTagBits, workspace());
    run_.Start(backend);
    TakeResult();
  }
  void Complete(uint64_t tag, Backend& backend) override {
    run_.Complete(tag, backend);
    TakeResult();
  }
  bool done() const override { return run_.done(); }
  size_t outstanding() const override { return run_.outstanding(); }
  std::string Describe() const override { return run_.Describe(); }

 private:
  void TakeResult() {
    if (!run_.done() || gathering_->said != nullptr) return;
    std::vector<std::string> said;
    for (int i = 0; i < members_; ++i) {
      said.push_back(out_.substr(static_cast<size_t>(i) * in_.size(), in_.size()));
    }
    gathering_->said = std::make_shared<const std::vector<std::string>>(std::move(said));
  }

  const int members_;
  const std::string in_;
  std::string out_;
  const std::shared_ptr<Gathering> gathering_;
  Execution run_;
};

}  // namespace

std::unique_ptr<Work> GatherBySending(std::shared_ptr<const Program> program, int member,
                                      uint32_t context, RankMap map, std::string says,
                                      std::shared_ptr<Gathering> gathering) {
  return std::make_unique<Allgather>(std::move(program), member, context, std::move(map),
                                     std::move(says), std::move(gathering));
}

}  // namespace ccl
