// A fit finds the fabric that made its measurements, and says where it did not look.
#include "bench/fit.h"

#include <cmath>
#include <cstdio>

#include "bench/published.h"
#include "fabric/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ccl {
namespace {

using testing::HasSubstr;

std::vector<Point> Times(const fabric::Description& truth, int ranks, double noise = 0) {
  std::vector<Point> points;
  for (Collective collective : {Collective::kAllReduce, Collective::kAllGather}) {
    for (uint64_t bytes = 1024; bytes <= (uint64_t{256} << 20); bytes *= 4) {
      Point point;
      point.sample.collective = collective;
      point.sample.ranks = ranks;
      point.sample.bytes = bytes;
      point.algorithms = {"ring"};
      // Noise that is the same every time, a few per cent up and down.
      point.sample.seconds = PredictPoint(point, truth) *
                             (1 + noise * std::sin(static_cast<double>(points.size()) * 1.7));
      points.push_back(std::move(point));
    }
  }
  HoldOut(points);
  return points;
}

TEST(Fit, FindsTheFabricThatMadeTheTimes) {
  const auto truth = fabric::ParseText(R"(
endpoints = 8
launch_overhead = "6 us"
[[tier]]
name = "switch"
port_bandwidth = "100 GB/s"
switch_latency = "1 us"
[[protocol]]
name = "short"
efficiency = 0.3
[[protocol]]
name = "long"
overhead = "9 us"
)", "truth.toml");
  ASSERT_TRUE(truth.ok()) << truth.status();
  const auto fit = FitFabric(Times(*truth, 8, 0.02), nullptr);
  ASSERT_TRUE(fit.ok()) << fit.status();
  std::printf("  launch %.2f us, latency %.2f us, %.1f GB/s, %d protocols; median error %.2f %%, held "
              "out %.2f %%\n", fit->description.launch_overhead / 1e6,
              fit->description.tiers[0].switch_latency / 1e6,
              fit->description.tiers[0].port_bandwidth / 1e9, fit->protocols,
              100 * fit->fitted_error, 100 * fit->held_error);
  EXPECT_NEAR(fit->description.tiers[0].port_bandwidth, 100e9, 8e9);
  EXPECT_LT(fit->fitted_error, 0.03);
  EXPECT_LT(fit->held_error, 0.05);
  EXPECT_GE(fit->protocols, 2);
  EXPECT_EQ(fit->description.calibrated.min_bytes, 1024);
  EXPECT_EQ(fit->description.calibrated.max_ranks, 8);

  // The file that is written predicts what the fit does.
  const std::string text = FileOf(*fit, "mine", "", {"made in a test"});
  EXPECT_THAT(text, HasSubstr("# made in a test\nname = \"mine\"\n"));
  EXPECT_THAT(text, HasSubstr("# [fit] median error "));
  const auto read = fabric::ParseText(text, "mine.toml");
  ASSERT_TRUE(read.ok()) << read.status() << text;
  for (const Point& point : Times(*truth, 8)) {
    EXPECT_NEAR(PredictPoint(point, *read) / PredictPoint(point, fit->description), 1, 1e-3);
  }
  EXPECT_EQ(read->Extrapolation(1024), "");
  EXPECT_THAT(read->Extrapolation(1), HasSubstr("fitted to 1024"));
}

TEST(Fit, OverAPresetOnlyTheTierOfTheRanksChanges) {
  const auto base = fabric::Load("nvl72-cluster");
  ASSERT_TRUE(base.ok());
  fabric::Description truth = *base;
  truth.launch_overhead = 20'000'000;
  truth.endpoints = 16;
  const auto fit = FitFabric(Times(truth, 16), &*base);
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_EQ(fit->tier, "rack");
  EXPECT_LT(fit->held_error, 0.05);
  const auto read = fabric::ParseText(FileOf(*fit, "mine", "nvl72-cluster", {}), "mine.toml", 144);
  ASSERT_TRUE(read.ok()) << read.status();
  // What the NICs pay is as it was.
  ASSERT_EQ(read->ProtocolsOf(1).size(), base->ProtocolsOf(1).size());
  EXPECT_EQ(read->ProtocolsOf(1)[0]->overhead, base->ProtocolsOf(1)[0]->overhead);
  EXPECT_EQ(read->calibrated.system, "mine");
}

TEST(Fit, WhatCannotBeFittedSaysSo) {
  const auto base = fabric::Load("nvl72-cluster");
  std::vector<Point> points = Times(*base, 16);
  const std::vector<Point> far = Times(*base, 144);
  points.insert(points.end(), far.begin(), far.end());
  EXPECT_THAT(std::string(FitFabric(points, &*base).status().message()),
              HasSubstr("meet at tier rack of nvl72-cluster, of others at infiniband"));
  points.resize(5);
  EXPECT_THAT(std::string(FitFabric(points, nullptr).status().message()),
              HasSubstr("5 measured times are too few"));
}

TEST(Fit, HoldsOutTheSameInnerPointsOfEverySeries) {
  std::vector<Point> points(20);
  for (int i = 0; i < 20; ++i) points[i].sample.bytes = 100 - i, points[i].sample.ranks = 2 + i / 10;
  HoldOut(points);
  int held = 0;
  for (const Point& p : points) held += p.held_out ? 1 : 0;
  EXPECT_EQ(held, 4);  // the third and seventh of each ten
  EXPECT_FALSE(points[0].held_out || points[9].held_out || points[10].held_out || points[19].held_out);
}

Published Row(const std::string& system, int ranks, int nodes, const std::string& collective,
              const std::string& library) {
  return {system, collective, "time_us", library, "made up", ranks, nodes, 1 << 20, 10};
}

TEST(Published, WhatStandsForARow) {
  auto stand = StandFor(Row("DGX_H100_node", 8, 1, "all_reduce", "NCCL 2.29.2"), "");
  ASSERT_TRUE(stand.ok()) << stand.status();
  EXPECT_EQ(stand->preset, "dgx-h100");
  EXPECT_EQ(stand->algorithms[0], "ring");
  EXPECT_EQ(stand->algorithms[1], "group_two_shot");
  stand = StandFor(Row("DGX_H100_node", 4, 1, "all_reduce", "NCCL 2.29.2"), "");
  EXPECT_EQ(stand->algorithms, std::vector<std::string>{"ring"});  // not the whole NVLink domain
  stand = StandFor(Row("DGX_H100_node", 8, 1, "all_reduce", "NCCL 2.18.5 NVLS"), "");
  EXPECT_EQ(stand->algorithms[0], "group_two_shot");
  stand = StandFor(Row("DGX_H100_node", 16, 2, "all_reduce", "NCCL"), "");
  EXPECT_EQ(stand->preset, "dgx-h100-superpod");
  EXPECT_EQ(stand->algorithms[0], "hier(ring+ring)");
  stand = StandFor(Row("CM384", 2, 2, "p2p_write", "HIXL"), "");
  EXPECT_TRUE(stand->message);
  EXPECT_EQ(stand->peer, 16);
  EXPECT_EQ(stand->transfer, "write");
  EXPECT_EQ(StandFor(Row("CM384", 2, 1, "p2p_read", "HIXL"), "")->peer, 2);  // not on its own package
  EXPECT_EQ(StandFor(Row("mine", 8, 1, "alltoall", "HCCL"), "cloudmatrix384-dies")->preset,
            "cloudmatrix384-dies");
}

TEST(Published, WhatDoesNotFitSaysWhy) {
  const auto why = [](const Published& row) {
    return std::string(StandFor(row, "").status().message());
  };
  EXPECT_THAT(why(Row("Abacus", 2, 1, "all_reduce", "NCCL")),
              HasSubstr("system \"Abacus\" has no preset here; --map Abacus=PRESET"));
  EXPECT_THAT(why(Row("DGX_H100_node", 8, 1, "all_reduce", "Gloo")),
              HasSubstr("library \"Gloo\": which algorithms it has is not known"));
  EXPECT_THAT(why(Row("DGX_H100_node", 8, 1, "barrier", "NCCL")), HasSubstr("for barrier is not known"));
  EXPECT_THAT(why(Row("DGX_H100_node", 8, 1, "dance", "NCCL")), HasSubstr("collective \"dance\""));
  EXPECT_THAT(why(Row("DGX_H100_node", 12, 1, "all_reduce", "NCCL")),
              HasSubstr("12 ranks on 1 nodes: dgx-h100 has nodes of 8"));
  EXPECT_THAT(why(Row("DGX_H100_node", 12, 2, "all_reduce", "NCCL")), HasSubstr("has nodes of 8"));
  Published row = Row("DGX_H100_node", 8, 1, "all_reduce", "NCCL");
  row.metric = "furlongs";
  EXPECT_THAT(why(row), HasSubstr("metric \"furlongs\"; known: time_us"));
}

TEST(Published, MetricsAreThoseOfNcclTests) {
  Published row = Row("x", 8, 1, "all_reduce", "NCCL");
  EXPECT_DOUBLE_EQ(MetricOf(row, 1 << 20, 10e-6), 10);
  row.metric = "algbw_GBps";
  EXPECT_DOUBLE_EQ(MetricOf(row, 1'000'000, 10e-6), 100);
  row.metric = "busbw_GBps";
  EXPECT_DOUBLE_EQ(MetricOf(row, 1'000'000, 10e-6), 175);
  row.collective = "all_gather";
  EXPECT_DOUBLE_EQ(MetricOf(row, 1'000'000, 10e-6), 87.5);
  row.collective = "p2p_read";
  EXPECT_DOUBLE_EQ(MetricOf(row, 1'000'000, 10e-6), 100);
}

}  // namespace
}  // namespace ccl
