#ifndef TESTS_EXEC_WORLD_H_
#define TESTS_EXEC_WORLD_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccl/algorithms/algorithm.h"
#include "ccl/exec/engine.h"
#include "gtest/gtest.h"

namespace ccl {

// An emulated world that runs programs on all ranks from one thread.
class World {
 public:
  explicit World(const std::string& url) {
    auto backend = OpenBackend(url, 0);
    EXPECT_TRUE(backend.ok()) << backend.status();
    engine = std::make_unique<Engine>(*std::move(backend));
    for (int r = 0; r < engine->ranks(); ++r) {
      engine->Adopt(r);
      streams.push_back(engine->NewStream(r));
      pointers.push_back(streams.back().get());
    }
  }

  // Runs to the end; returns how long it took.
  Time Run(const std::shared_ptr<const Program>& program, const std::vector<Request>& requests) {
    const Time begin = engine->Now();
    std::vector<std::unique_ptr<Work>> work;
    for (int r = 0; r < engine->ranks(); ++r) {
      work.push_back(std::make_unique<Execution>(program, r, 1, requests[r]));
    }
    engine->Enqueue(pointers, std::move(work));
    status = engine->Wait(pointers);
    EXPECT_TRUE(status.ok()) << program->info().name << ": " << status;
    return engine->Now() - begin;
  }

  std::unique_ptr<Engine> engine;
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<Stream*> pointers;
  absl::Status status;
};

inline std::string Crossbar(int ranks, const std::string& options = "") {
  return absl::StrCat("emulated:crossbar?ranks=", ranks, options);
}

}  // namespace ccl

#endif  // TESTS_EXEC_WORLD_H_
