// What the engine does with work whose stream goes away.
#include <memory>
#include <vector>

#include "tests/exec/world.h"

namespace ccl {
namespace {

// Posts some delays; tells when it goes and which slot it had.
class Probe final : public Work {
 public:
  struct Log {
    int alive = 0, completed = 0;
    std::vector<uint64_t> slots;
  };
  Probe(int rank, Time duration, size_t operations, Log& log)
      : rank_(rank), duration_(duration), outstanding_(operations), log_(log) {
    ++log_.alive;
  }
  ~Probe() override { --log_.alive; }

  void Start(Backend& backend) override {
    log_.slots.push_back(Token(0) >> kTagBits);
    for (size_t i = 0; i < outstanding_; ++i) {
      Operation operation;
      operation.kind = OperationKind::kDelay;
      operation.delay = duration_ * static_cast<Time>(i + 1);
      operation.token = Token(i);
      backend.Post(rank_, {&operation, 1});
    }
  }
  void Complete(uint64_t, Backend&) override {
    --outstanding_;
    ++log_.completed;
  }
  bool done() const override { return outstanding_ == 0; }
  size_t outstanding() const override { return outstanding_; }
  std::string Describe() const override { return "a probe"; }

 private:
  const int rank_;
  const Time duration_;
  size_t outstanding_;
  Log& log_;
};

void Start(World& world, Stream* stream, std::unique_ptr<Work> work) {
  std::vector<std::unique_ptr<Work>> list;
  list.push_back(std::move(work));
  world.engine->Enqueue({&stream, 1}, std::move(list));
}

void WaitAll(World& world) {
  const absl::Status status = world.engine->Wait(world.pointers);
  EXPECT_TRUE(status.ok()) << status;
}

TEST(Engine, DroppedWorkLivesUntilItsOperationsHaveCompletedAndFreesItsSlot) {
  World world(Crossbar(1));
  Probe::Log log;
  for (int round = 0; round < 10; ++round) {
    const auto stream = world.engine->NewStream(0);
    Start(world, stream.get(), std::make_unique<Probe>(0, 1000, 2, log));
    world.engine->Drop(stream.get());
    EXPECT_EQ(log.alive, 1) << "while its operations are under way";
    Start(world, world.pointers[0], std::make_unique<Delay>(0, 1500));
    WaitAll(world);
    EXPECT_EQ(log.alive, 1) << "one of its two operations is under way";
    Start(world, world.pointers[0], std::make_unique<Delay>(0, 1500));
    WaitAll(world);
    EXPECT_EQ(log.alive, 0);
  }
  EXPECT_EQ(log.completed, 0);
  for (uint64_t slot : log.slots) EXPECT_LT(slot, 2u);
}

TEST(Engine, WorkBehindADroppedOneIsNeverStarted) {
  World world(Crossbar(1));
  Probe::Log log;
  const auto stream = world.engine->NewStream(0);
  for (int i = 0; i < 3; ++i) {
    Start(world, stream.get(), std::make_unique<Probe>(0, 1000, 1, log));
  }
  world.engine->Drop(stream.get());
  EXPECT_EQ(log.alive, 1);
  Start(world, world.pointers[0], std::make_unique<Delay>(0, 5000));
  WaitAll(world);
  EXPECT_EQ(log.alive, 0);
  EXPECT_EQ(log.slots.size(), 1u);
}

// A send that nobody receives stays until the world ends; the work after it has a slot of its own.
TEST(Engine, DroppedWorkThatNeverCompletesDisturbsNobody) {
  World world(Crossbar(2));
  const auto program = *BuildProgram(*ParseAlgorithm("ring*3"),
                                     Shape{Collective::kAllReduce, 2, 0, 0, {}}, true);
  std::vector<float> in(100, 1), out(100);
  const auto stream = world.engine->NewStream(0);
  Start(world, stream.get(),
        std::make_unique<Execution>(
            program, 0, 7,
            Request{Collective::kAllReduce, DataType::kFloat32, ReduceOp::kSum, 100, 0, in.data(),
                    out.data()}));
  world.engine->Drop(stream.get());
  std::vector<float> a(100, 1), b(100, 2);
  for (int round = 0; round < 3; ++round) {
    std::vector<Request> requests(
        2, {Collective::kAllReduce, DataType::kFloat32, ReduceOp::kSum, 100, 0});
    std::vector<float> sums[2] = {std::vector<float>(100), std::vector<float>(100)};
    for (int r = 0; r < 2; ++r) requests[r].in = r == 0 ? a.data() : b.data();
    for (int r = 0; r < 2; ++r) requests[r].out = sums[r].data();
    world.Run(program, requests);
    EXPECT_EQ(sums[0], std::vector<float>(100, 3));
    EXPECT_EQ(sums[1], std::vector<float>(100, 3));
  }
}

}  // namespace
}  // namespace ccl
