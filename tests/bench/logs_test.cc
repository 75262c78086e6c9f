// Logs of measuring programs, whole and broken.
#include "bench/logs.h"

#include <random>

#include "bench/csv.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ccl {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::vector<Sample> Parse(const std::string& text, const LogHints& hints = {}) {
  const auto samples = ParseLog(text, "my.log", hints);
  EXPECT_TRUE(samples.ok()) << samples.status();
  return samples.ok() ? *samples : std::vector<Sample>();
}

std::string Refusal(const std::string& text, const LogHints& hints = {}) {
  const auto samples = ParseLog(text, "my.log", hints);
  EXPECT_FALSE(samples.ok());
  return std::string(samples.status().message());
}

constexpr char kNccl[] = R"(
host:12:34 [0] NCCL INFO Bootstrap : Using eth0
# nThread 1 nGpus 2 minBytes 1024 maxBytes 4096 step: 2(factor) warmup iters: 5 iters: 20
# Collective test starting: all_gather_perf
#  Rank  0 Group  0 Pid   1234 on   host device  0 [0x00] made up
#  Rank  1 Group  0 Pid   1234 on   host device  1 [0x00] made up
#                                                              out-of-place                       in-place
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
        1024           128     float    none      -1    10.00    0.10    0.05      0    11.00    0.09    0.05      0
host:12:34 [0] NCCL INFO something in between 1 2 3 4 5 6
        2048           256     float    none      -1    12.50    0.16    0.08      0    12.00    0.17    0.09      0
     1048576        131072     float    none      -1    20.00   52.43   26.21    N/A    19.00   55.19   27.59    N/A
# Out of bounds values : 0 OK
)";

TEST(Logs, NcclTests) {
  const std::vector<Sample> samples = Parse(kNccl);
  ASSERT_EQ(samples.size(), 3);
  EXPECT_EQ(samples[0].collective, Collective::kAllGather);
  EXPECT_EQ(samples[0].ranks, 2);
  EXPECT_EQ(samples[0].bytes, 1024);
  EXPECT_DOUBLE_EQ(samples[0].seconds, 10e-6);
  EXPECT_DOUBLE_EQ(samples[2].seconds, 20e-6);
  EXPECT_EQ(samples[2].library, "NCCL");
  EXPECT_EQ(samples[2].algorithm, "");
}

// Older ones have no root column; what is missing is asked for, or follows from busbw.
TEST(Logs, OlderTablesAndMissingHeaders) {
  const std::string row = " 1048576  262144  float  sum  20.00  52.43  91.75  0e+00  19.0  55.2  96.6  0e+00\n";
  EXPECT_THAT(Refusal(row), HasSubstr("my.log: does not say which collective it measured"));
  const std::vector<Sample> samples = Parse(row, {"all_reduce", 0});
  ASSERT_EQ(samples.size(), 1);
  EXPECT_EQ(samples[0].ranks, 8);  // 91.75 / 52.43 = 2 x 7 / 8
  EXPECT_EQ(Parse(row, {"all_reduce", 4})[0].ranks, 4);
  EXPECT_THAT(Refusal(row, {"sendrecv", 0}), HasSubstr("does not say how many ranks"));
  EXPECT_TRUE(Parse(row, {"sendrecv", 2})[0].sendrecv);
  EXPECT_THAT(Refusal(row, {"all_reduse", 2}), HasSubstr("\"all_reduse\" is not a collective"));
}

TEST(Logs, OurOwnTablesNameTheAlgorithm) {
  const std::string text =
      "# Collective test starting: allreduce_perf\n"
      "# nRanks 16 minBytes 1M maxBytes 1M step: 2(factor) warmup iters: 1 iters: 20 validation: 1\n"
      " 1048576  262144  float  sum  -1  20.00  52.43  98.30  0  20.00  52.43  98.30  0  ring*4\n"
      " 2097152  524288  float  sum  -1  40.00  52.43  98.30  0  40.00  52.43  98.30  0  hier(ring+nhr)  EXTRAPOLATED\n";
  const std::vector<Sample> samples = Parse(text);
  ASSERT_EQ(samples.size(), 2);
  EXPECT_EQ(samples[0].algorithm, "ring*4");
  EXPECT_EQ(samples[1].algorithm, "hier(ring+nhr)");
  EXPECT_EQ(samples[0].ranks, 16);
}

TEST(Logs, HcclTest) {
  const std::string text =
      "$ mpirun -n 8 ./bin/reduce_scatter_test -p 8 -b 8K -e 64M -f 2 -d fp32\n"
      "the minbytes is 8192, maxbytes is 67108864, iters is 20, warmup_iters is 5\n"
      "data_size(Bytes): | aveg_time(us): | alg_bandwidth(GB/s): | check_result:\n"
      "8192              | 40.96          | 0.20000              | success\n"
      "67108864          | 2630.20        | 25.51473             | success\n";
  const std::vector<Sample> samples = Parse(text);
  ASSERT_EQ(samples.size(), 2);
  EXPECT_EQ(samples[0].collective, Collective::kReduceScatter);
  EXPECT_EQ(samples[0].ranks, 8);
  EXPECT_EQ(samples[0].bytes, 8 * 8192);
  EXPECT_EQ(samples[0].library, "HCCL");
  EXPECT_DOUBLE_EQ(samples[1].seconds, 2630.20e-6);
}

TEST(Logs, Csv) {
  const std::string head = "collective,algorithm,ranks,bytes,time_us\n";
  const std::vector<Sample> samples = Parse("# made up\n" + head + "alltoall,\"pairwise\",4,4096,9.5\n");
  ASSERT_EQ(samples.size(), 1);
  EXPECT_EQ(samples[0].algorithm, "pairwise");
  EXPECT_DOUBLE_EQ(samples[0].seconds, 9.5e-6);
  EXPECT_EQ(Refusal(head + "alltoall,ring,4,4096,fast\n"),
            "my.log:2: time_us: \"fast\" is not a number from 0 on");
  EXPECT_EQ(Refusal(head + "alltoall,ring,4\n"), "my.log:2: 3 fields, but the header has 5");
  EXPECT_EQ(Refusal(head + "alltoall,ring,4,0,3\n"), "my.log:2: bytes and time_us must be above 0");
  EXPECT_THAT(Refusal(head + "dance,ring,4,4,3\n"), HasSubstr("\"dance\" is not a collective"));
  EXPECT_EQ(Refusal(head + "\"alltoall,ring,4,4,3\n"), "my.log:2: a quote without an end");
  EXPECT_EQ(Refusal(head), "my.log: has no rows");
  EXPECT_THAT(Refusal("collective,ranks,time_us\n"), HasSubstr("there is no column \"bytes\""));
}

TEST(Logs, JunkIsPassedOverOrRefused) {
  EXPECT_THAT(Refusal(""), StartsWith("my.log: has no line of a table of nccl-tests"));
  EXPECT_THAT(Refusal("data_size(Bytes): |\nnothing | of | use\n"),
              HasSubstr("has no line of a table of hccl_test"));
  EXPECT_THAT(Refusal("1 2 3 4 5 6 7\n1024 256 float sum 10 999 999\n", {"all_reduce", 2}),
              HasSubstr("has no line"));  // bandwidths that are not the size over the time
  EXPECT_THAT(Refusal("1024 256 float sum nan 0.1 0.1\n1024 256 float sum inf 0 0\n"
                      "1024 256 float sum -5 0.1 0.1\n", {"all_reduce", 2}),
              HasSubstr("has no line"));
  EXPECT_THAT(Refusal(std::string(100'000, '1'), {"all_reduce", 2}), HasSubstr("has no line"));
  // A good table with any bytes thrown in loses at most the lines that they hit.
  std::mt19937 random(7);
  const std::string whole = kNccl;
  for (int i = 0; i < 2000; ++i) {
    std::string text = whole;
    for (int k = 0; k < 1 + i % 40; ++k) {
      text[random() % text.size()] = static_cast<char>(random() % 256);
    }
    if (i % 3 == 0) text.resize(random() % text.size());
    const auto samples = ParseLog(text, "my.log", {"all_gather", 2});
    if (samples.ok()) {
      EXPECT_LE(samples->size(), 12);
    } else {
      EXPECT_THAT(std::string(samples.status().message()), StartsWith("my.log"));
    }
  }
}

TEST(Csv, FieldsMayBeQuoted) {
  const auto rows = ParseCsv("a,b\r\n\"x, \"\"y\"\"\n z\",2\r\n\n# no row\n3,\n", "t.csv", {"a"});
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 2);
  EXPECT_EQ((*rows)[0].fields.at("a"), "x, \"y\"\n z");
  EXPECT_EQ((*rows)[1].fields.at("b"), "");
  EXPECT_EQ((*rows)[1].line, 6);
}

}  // namespace
}  // namespace ccl
