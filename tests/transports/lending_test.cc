// Long messages in memory that the ranks of a host reach: to one, to all, folded, in place, more of them at
// once than can be lent, and among ranks of which some lend and some do not. Run by mpirun.
#include <cstring>
#include <memory>
#include <numeric>
#include <vector>

#include "ccl/backend/arena.h"
#include "gtest/gtest.h"
#include "tests/transports/host_job.h"

namespace ccl {
namespace {

// Lent if anything is, and with an end that is no whole page, line or block.
constexpr size_t kLong = (size_t{17} << 20) / 4 + 12345;
constexpr size_t kCounts[] = {(size_t{3} << 20) / 4 + 17, (size_t{5} << 20) / 4 - 3};

int32_t Value(int rank, size_t i) { return rank * 1000 + static_cast<int32_t>(i % 977); }

// Numbers, -1 each, in the arena or not.
class Numbers {
 public:
  Numbers(size_t count, bool shared) : count_(count), shared_(shared) {
    data_ = static_cast<int32_t*>(shared ? Arena::OfProcess().Allocate(count * 4) : ::operator new(count * 4));
    std::fill_n(data_, count, -1);
  }
  ~Numbers() {
    if (shared_) {
      EXPECT_TRUE(Arena::OfProcess().Free(data_));
    } else {
      ::operator delete(data_);
    }
  }
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;

  void Fill(int rank) {
    for (size_t i = 0; i < count_; ++i) data_[i] = Value(rank, i);
  }
  int32_t* data() { return data_; }
  ConstPiece from() const { return {data_, count_ * 4}; }
  Piece to() { return {data_, count_ * 4}; }

 private:
  const size_t count_;
  const bool shared_;
  int32_t* data_;
};

// Adds its one operand, or its members', where the result goes.
class Adder final : public Consumer {
 public:
  explicit Adder(int32_t* result) : result_(result) {}
  void Consume(uint64_t, uint64_t offset, absl::Span<const absl::Span<const ConstPiece>> operands) override {
    for (const absl::Span<const ConstPiece>& operand : operands) ASSERT_EQ(operand.size(), 1u);
    int32_t* const result = result_ + offset / 4;
    for (size_t i = 0; i < operands[0][0].bytes / 4; ++i) {
      int32_t sum = 0;
      for (const absl::Span<const ConstPiece>& operand : operands) sum += static_cast<const int32_t*>(operand[0].data)[i];
      result[i] = sum;
    }
  }

 private:
  int32_t* const result_;
};

enum class Who { kNobody, kAll, kEven, kInputs, kResults };

class Lending : public HostJob, public testing::WithParamInterface<Who> {
 protected:
  bool inputs() const {
    return GetParam() == Who::kAll || GetParam() == Who::kInputs || (GetParam() == Who::kEven && self_ % 2 == 0);
  }
  bool results() const {
    return GetParam() == Who::kAll || GetParam() == Who::kResults || (GetParam() == Who::kEven && self_ % 2 == 0);
  }
  void Finish() {
    const absl::Status status = job_->Finish();
    ASSERT_TRUE(status.ok()) << status;
  }
};

TEST_P(Lending, ReduceToAll) {
  for (size_t count : kCounts) {
    for (const bool in_place : {false, true}) {
      Numbers in(count, inputs()), out(count, results());
      in.Fill(self_);
      Numbers& result = in_place ? in : out;
      Adder adder(result.data());
      const ConstPiece src = in.from();
      const Piece dst = result.to();
      Operation op{.kind = OperationKind::kGroupReduce, .peer = -1, .bytes = count * 4};
      op.src = {&src, 1};
      op.dst = {&dst, 1};
      op.consumer = &adder;
      op.group = {0, all_};
      job_->Post(self_, op);
      ASSERT_NO_FATAL_FAILURE(Finish());
      for (size_t i = 0; i < count; ++i) {
        int32_t sum = 0;
        for (int rank : all_) sum += Value(rank, i);
        ASSERT_EQ(result.data()[i], sum) << "element " << i << " of " << count;
      }
    }
  }
}

TEST_P(Lending, ReduceToEachAtOnce) {
  for (size_t count : kCounts) {
    std::vector<std::unique_ptr<Numbers>> in;
    std::vector<ConstPiece> src;
    Numbers out(count, results());
    Adder adder(out.data());
    const Piece dst = out.to();
    for (int root : all_) {
      in.push_back(std::make_unique<Numbers>(count, inputs()));
      in.back()->Fill(self_ + 10 * root);
      src.push_back(in.back()->from());
    }
    for (int root : all_) {
      Operation op{.kind = OperationKind::kGroupReduce, .peer = root, .bytes = count * 4};
      op.src = {&src[static_cast<size_t>(root)], 1};
      if (root == self_) {
        op.dst = {&dst, 1};
        op.consumer = &adder;
      }
      op.group = {static_cast<uint64_t>(root), all_};
      op.token = static_cast<uint64_t>(root);
      job_->Post(self_, op);
    }
    ASSERT_NO_FATAL_FAILURE(Finish());
    for (size_t i = 0; i < count; ++i) {
      int32_t sum = 0;
      for (int rank : all_) sum += Value(rank + 10 * self_, i);
      ASSERT_EQ(out.data()[i], sum) << "element " << i << " of " << count;
    }
  }
}

// One alone, and all at once.
TEST_P(Lending, CopyFromEach) {
  for (const bool at_once : {false, true}) {
    Numbers in(kLong, inputs());
    in.Fill(self_);
    const ConstPiece src = in.from();
    std::vector<std::unique_ptr<Numbers>> out;
    std::vector<Piece> dst;
    for (size_t i = 0; i < all_.size(); ++i) {
      out.push_back(std::make_unique<Numbers>(kLong, results()));
      dst.push_back(out.back()->to());
    }
    std::vector<Operation> ops;
    for (int root : all_) {
      Operation op{.kind = OperationKind::kGroupCopy, .peer = root, .bytes = kLong * 4};
      if (root == self_) op.src = {&src, 1};
      op.dst = {&dst[static_cast<size_t>(root)], 1};
      op.group = {static_cast<uint64_t>(root), all_};
      op.token = static_cast<uint64_t>(root);
      ops.push_back(op);
    }
    if (at_once) job_->Post(self_, ops);
    for (const Operation& op : ops) {
      if (at_once) continue;
      job_->Post(self_, op);
      ASSERT_NO_FATAL_FAILURE(Finish());
    }
    ASSERT_NO_FATAL_FAILURE(Finish());
    for (int root : all_) {
      for (size_t i = 0; i < kLong; ++i) ASSERT_EQ(out[static_cast<size_t>(root)]->data()[i], Value(root, i));
    }
  }
}

// More than can be lent at once, received in another order; some fold what comes.
TEST_P(Lending, ManyMessages) {
  constexpr size_t kMessages = 40, kCount = (size_t{2} << 20) / 4;
  const int from = job_->Previous(self_);
  Numbers in(kCount, inputs());
  in.Fill(self_);
  const ConstPiece src = in.from();
  std::vector<std::unique_ptr<Numbers>> out;
  std::vector<Piece> dst;
  std::vector<std::unique_ptr<Adder>> adders;
  for (size_t k = 0; k < kMessages; ++k) {
    Operation send{.kind = OperationKind::kSend, .channel = static_cast<uint16_t>(k), .peer = job_->Next(self_)};
    send.bytes = kCount * 4;
    send.src = {&src, 1};
    send.token = k;
    job_->Post(self_, send);
    out.push_back(std::make_unique<Numbers>(kCount, results()));
    dst.push_back(out.back()->to());
    adders.push_back(std::make_unique<Adder>(out.back()->data()));
  }
  // The last one is waited for while nobody takes the others.
  for (size_t k = kMessages; k-- > 0;) {
    Operation recv{.kind = k % 2 ? OperationKind::kRecv : OperationKind::kRecvReduce,
                   .channel = static_cast<uint16_t>(k), .peer = from};
    recv.bytes = kCount * 4;
    if (k % 2) {
      recv.dst = {&dst[k], 1};
    } else {
      recv.consumer = adders[k].get();
    }
    recv.token = kMessages + k;
    job_->Post(self_, recv);
    if (k + 1 < kMessages) continue;
    const absl::Status status = job_->Finish({recv.token});
    ASSERT_TRUE(status.ok()) << status;
  }
  ASSERT_NO_FATAL_FAILURE(Finish());
  for (size_t k = 0; k < kMessages; ++k) {
    for (size_t i = 0; i < kCount; ++i) ASSERT_EQ(out[k]->data()[i], Value(from, i)) << "message " << k;
  }
}

// Short ones of the same group, posted right behind.
TEST_P(Lending, NothingOvertakesWhatIsLent) {
  Numbers in(kLong, inputs()), out(kLong, results());
  in.Fill(self_);
  const ConstPiece src[] = {in.from(), {in.data() + 1, 4}};
  int32_t number = -1;
  const Piece dst[] = {out.to(), {&number, 4}};
  std::vector<Operation> ops(2);
  for (size_t i = 0; i < 2; ++i) {
    ops[i] = {.kind = OperationKind::kGroupCopy, .peer = 0, .bytes = i == 0 ? kLong * 4 : 4};
    if (self_ == 0) ops[i].src = {&src[i], 1};
    ops[i].dst = {&dst[i], 1};
    ops[i].group = {3, all_};
    ops[i].token = i;
  }
  job_->Post(self_, ops);
  ASSERT_NO_FATAL_FAILURE(Finish());
  EXPECT_EQ(number, Value(0, 1));
  for (size_t i = 0; i < kLong; ++i) ASSERT_EQ(out.data()[i], Value(0, i));
}

INSTANTIATE_TEST_SUITE_P(By, Lending,
                         testing::Values(Who::kNobody, Who::kAll, Who::kEven, Who::kInputs, Who::kResults));

// What breaks the promise to leave a message alone until it has been sent shows that it was not copied.
using Lent = HostJob;
TEST_F(Lent, IsReadWhereItLies) {
  Job& job = *job_;
  const int self = self_;
  for (const bool shared : {false, true}) {
    Numbers in(kLong, shared), out(kLong, false);
    in.Fill(1);
    const ConstPiece src = in.from();
    const Piece dst = out.to();
    Operation send{.kind = OperationKind::kSend, .peer = 1, .bytes = kLong * 4};
    send.src = {&src, 1};
    send.token = 1;
    if (self == 0) {
      job.Post(0, send);
      for (int i = 0; i < 100; ++i) ASSERT_TRUE(job.Poll(Waiting::kNo).ok());
      EXPECT_TRUE(job.pending(0, 1));
      std::fill_n(in.data() + kLong - 10, 10, 42);
    }
    ASSERT_TRUE(job.backend().Agree(absl::OkStatus()).ok());
    if (self == 1) {
      Operation recv{.kind = OperationKind::kRecv, .peer = 0, .bytes = kLong * 4};
      recv.dst = {&dst, 1};
      job.Post(1, recv);
    }
    const absl::Status status = job.Finish();
    ASSERT_TRUE(status.ok()) << status;
    if (self == 1) {
      EXPECT_EQ(out.data()[0], Value(1, 0));
      EXPECT_EQ(out.data()[kLong - 1], 42);
    }
  }
}

}  // namespace
}  // namespace ccl
