// Communicators below the C API, over a backend that claims less than the emulated one holds, or whose
// rank 0 is said to be another process.
#include "ccl/backend/open.h"
#include "ccl/communicator.h"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ccl/rendezvous.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "transports/emulated/emulated.h"

namespace ccl {
namespace {

using testing::HasSubstr;

// What the next backend claims and says; set by each test.
struct Claims {
  uint32_t contexts = 4, channels = 2;
  std::function<void(std::string&)> share = [](std::string&) {};
  uint64_t outside = 0;  // operations beyond what is claimed
};
Claims claims;

class Narrow final : public Backend {
 public:
  explicit Narrow(std::unique_ptr<Backend> inner) : inner_(std::move(inner)) {}
  absl::string_view name() const override { return "narrow"; }
  int ranks() const override { return inner_->ranks(); }
  absl::Span<const int> local_ranks() const override { return inner_->local_ranks(); }
  const Topology& topology() const override { return inner_->topology(); }
  Abilities abilities() const override {
    Abilities has = inner_->abilities();
    has.contexts = claims.contexts;
    has.channels = claims.channels;
    return has;
  }
  Time Now() const override { return inner_->Now(); }
  void Post(int rank, absl::Span<const Operation> operations) override {
    for (const Operation& operation : operations) {
      if (operation.context >= claims.contexts || operation.channel >= claims.channels) {
        ++claims.outside;
      }
    }
    inner_->Post(rank, operations);
  }
  absl::Status Poll(Waiting waiting, std::vector<Completion>& done) override {
    return inner_->Poll(waiting, done);
  }
  absl::Status ShareFromRankZero(std::string& bytes) override {
    claims.share(bytes);
    return absl::OkStatus();
  }
  absl::Status Agree(const absl::Status& own) override { return own; }

 private:
  const std::unique_ptr<Backend> inner_;
};

class Communicators : public testing::Test {
 protected:
  void SetUp() override { claims = Claims(); }

  void Open(int ranks, const Options& options = {}) {
    auto world = World::Open(options, ranks);
    ASSERT_TRUE(world.ok()) << world.status();
    world_ = *world;
    for (int r = 0; r < ranks; ++r) {
      auto communicator = Communicator::Create(world_, r);
      ASSERT_TRUE(communicator.ok()) << communicator.status();
      communicators_.push_back(*std::move(communicator));
      streams_.push_back(communicators_.back()->stream());
    }
  }

  std::shared_ptr<World> world_;
  std::vector<std::unique_ptr<Communicator>> communicators_;
  std::vector<Stream*> streams_;
};

TEST_F(Communicators, StayWithinTheContextsAndChannelsOfTheBackend) {
  Open(3);
  for (int call = 0; call < 20; ++call) {
    std::vector<int> in = {1, 2, 3}, out(3), sent = {7, 8, 9}, got(3);
    for (int r = 0; r < 3; ++r) {
      const absl::Status status = communicators_[r]->Run(
          {Collective::kAllReduce, DataType::kInt32, ReduceOp::kSum, 1, 0, &in[r], &out[r]});
      ASSERT_TRUE(status.ok()) << status;
    }
    std::vector<std::unique_ptr<Work>> work;
    for (int r = 0; r < 3; ++r) {
      Communicator& c = *communicators_[r];
      const int next = (r + 1) % 3, previous = (r + 2) % 3;
      work.push_back(c.MakeExchange({{true, next, &sent[r], 4, c.NextChannel(true, next)},
                                     {false, previous, &got[r], 4, c.NextChannel(false, previous)}}));
    }
    world_->engine().Enqueue(streams_, std::move(work));
    const absl::Status status = world_->engine().Wait(streams_);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(out, std::vector<int>(3, 6));
    EXPECT_EQ(got, (std::vector<int>{9, 7, 8}));
  }
  EXPECT_EQ(claims.outside, 0u);
}

TEST_F(Communicators, AnAlgorithmOfMoreChannelsThanThereAreIsAnErrorBeforeItRuns) {
  Open(2);
  int one = 1, sum = 0;
  const Request request{Collective::kAllReduce, DataType::kInt32, ReduceOp::kSum, 1, 0, &one, &sum};
  const absl::Status status = communicators_[0]->Run(request, "ring*8");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ring*8 takes 8 wire channels"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("has 2"));
  for (auto& c : communicators_) EXPECT_TRUE(c->Run(request, "ring*2").ok());
  EXPECT_TRUE(world_->engine().Wait(streams_).ok());
  EXPECT_EQ(sum, 2);
}

TEST_F(Communicators, ABackendOfTooFewContextsIsRefused) {
  claims.contexts = 3;
  EXPECT_THAT(std::string(World::Open({}, 2).status().message()), HasSubstr("3 contexts"));
}

// As a process sees it whose rank 0 lives in another one.
TEST_F(Communicators, AConfigurationUnlikeRankZerosNamesTheRankAndBoth) {
  claims.share = [](std::string& bytes) {
    if (absl::StartsWith(bytes, "algorithms")) bytes = "algorithms 'allreduce:@nhr', phantom 0";
  };
  Options options;
  options.algorithms = "allreduce:@ring";
  const absl::Status status = World::Open(options, 2).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  for (const char* part : {"rank 0", "'allreduce:@ring'", "'allreduce:@nhr'"}) {
    EXPECT_THAT(std::string(status.message()), HasSubstr(part));
  }
}

TEST_F(Communicators, TheRendezvousForgetsWorldsThatHaveEnded) {
  Rendezvous rendezvous;
  for (int i = 0; i < 5; ++i) {
    const std::string id = absl::StrCat("id", i);
    auto world = rendezvous.Meet(id, {}, 2, 0);
    ASSERT_TRUE(world.ok()) << world.status();
    EXPECT_EQ(*rendezvous.Meet(id, {}, 2, 1), *world);
    EXPECT_EQ(rendezvous.ids(), 1u);
  }
  // A world that lives on is kept, and an id whose world has ended is new.
  auto lives = *rendezvous.Meet("lives", {}, 2, 0);
  EXPECT_TRUE(rendezvous.Meet("id0", {}, 3, 2).ok());
  EXPECT_EQ(rendezvous.ids(), 2u);
  EXPECT_EQ(*rendezvous.Meet("lives", {}, 2, 1), lives);
}

}  // namespace

// In the place of transports/builtin.cc.
absl::StatusOr<std::unique_ptr<Backend>> OpenBackend(absl::string_view, const Membership& membership) {
  auto inner = OpenEmulated("crossbar", membership.ranks);
  if (!inner.ok()) return inner.status();
  return std::make_unique<Narrow>(*std::move(inner));
}
bool MeetsByItself(absl::string_view) { return false; }
absl::StatusOr<std::string> NewJobId(absl::string_view, size_t) { return std::string(); }

}  // namespace ccl
