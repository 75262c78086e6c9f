// One rank among those of a host that share memory. Run by mpirun.
#ifndef TESTS_TRANSPORTS_HOST_JOB_H_
#define TESTS_TRANSPORTS_HOST_JOB_H_

#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "ccl/backend/backend.h"
#include "gtest/gtest.h"
#include "tests/transports/contract.h"

namespace ccl {

class HostJob : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = OpenBackend("mpi:", 0);
    ASSERT_TRUE(opened.ok()) << opened.status();
    ASSERT_TRUE((*opened)->abilities().group_operations) << "the ranks of this host share no memory";
    job_ = std::make_unique<Job>(*std::move(opened));
    self_ = job_->backend().local_ranks()[0];
    all_.resize(static_cast<size_t>(job_->ranks()));
    std::iota(all_.begin(), all_.end(), 0);
  }

  std::unique_ptr<Job> job_;
  std::vector<int> all_;
  int self_ = 0;
};

}  // namespace ccl

#endif  // TESTS_TRANSPORTS_HOST_JOB_H_
