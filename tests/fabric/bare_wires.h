// Messages over wires without a Simulator: paths over any ports, and the bound that no engine may
// beat.
#ifndef TESTS_FABRIC_BARE_WIRES_H_
#define TESTS_FABRIC_BARE_WIRES_H_

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fabric/packet.h"
#include "fabric/wires.h"
#include "gtest/gtest.h"

namespace fabric {

// Ports without places. Profile k is of paths of k ports; every hop takes the same time.
class BareNetwork final : public Network {
 public:
  BareNetwork(const std::vector<int64_t>& rates, Time hop) : Network(1), hop_(hop) {
    for (int64_t rate : rates) ports_.push_back({rate, PortKind::kSend, 0});
    for (size_t ports = 0; ports <= 16; ++ports) AddProfile(std::vector<Time>(ports, hop));
  }
  Time hop() const { return hop_; }
  void Route(int, int, Path&) override {}
  void Climb(int, int, Path&) override {}
  void Descend(int, int, Path&) override {}
  absl::Status Find(const TimelineEvent&, std::vector<Lane>&) const override { return {}; }
  std::string PortName(uint32_t port) const override { return std::to_string(port); }
  int PortEndpoint(uint32_t port) const override { return static_cast<int>(port); }

 private:
  const Time hop_;
};

struct BareMessage {
  Time start = 0;
  int64_t bytes = 0;
  std::vector<uint32_t> ports;
  int64_t rate = 0;
};

// From `at` on a port has another rate.
struct BareChange {
  Time at = 0;
  uint32_t port = 0;
  int64_t rate = 0;
};

struct Times {
  Time head = -1, sent = -1, delivered = -1;

  friend bool operator==(const Times&, const Times&) = default;
};

class BareRun final : private Arrivals {
 public:
  BareRun(EngineKind kind, const BareNetwork& network, const Description& description,
          const std::vector<BareMessage>& messages, std::vector<BareChange> changes = {})
      : changes_(std::move(changes)),
        times_(messages.size()),
        wires_(Wires::Create(kind, network, description, !changes_.empty(), queue_, *this)) {
    EXPECT_EQ(wires_->name(), EngineName(kind));
    std::stable_sort(changes_.begin(), changes_.end(),
                     [](const BareChange& a, const BareChange& b) { return a.at < b.at; });
    for (uint32_t i = 0; i < changes_.size(); ++i) queue_.Push({changes_[i].at, 0, i, kChange});
    for (uint32_t i = 0; i < messages.size(); ++i) queue_.Push({messages[i].start, i, i, kStart});
    std::vector<Entry> batch;
    Path path;
    while (queue_.Take(batch)) {
      for (const Entry& entry : batch) {
        if (entry.step >= Wires::kFirstStep) {
          wires_->Handle(entry);
        } else if (entry.step == kChange) {
          wires_->SetRate(changes_[entry.record].port, changes_[entry.record].rate);
        } else {
          const BareMessage& m = messages[entry.record];
          path.ports = m.ports;
          path.profile = static_cast<uint32_t>(m.ports.size());
          wires_->Enter({.id = entry.record, .bytes = m.bytes, .rate = m.rate,
                         .order = entry.record, .notify_head = true}, path);
        }
      }
    }
    Check(network, messages);
  }

  const std::vector<Times>& times() const { return times_; }
  // Of the packet engine.
  int64_t fullest() const { return static_cast<const PacketWires&>(*wires_).fullest(); }

 private:
  enum Step : uint8_t { kChange, kStart };

  void Sent(uint32_t id) override { Note(times_[id].sent); }
  void Head(uint32_t id) override { Note(times_[id].head); }
  void Delivered(uint32_t id) override { Note(times_[id].delivered); }
  void Note(Time& time) {
    EXPECT_EQ(time, -1) << "reported twice";
    time = queue_.now();
  }

  // When a port that begins at `start` can have served so many bytes, given its rates.
  Time Earliest(const BareNetwork& network, uint32_t port, Time start, int64_t bytes) const {
    int64_t rate = network.ports()[port].rate;
    __int128 left = static_cast<__int128>(bytes) * kSecond;
    for (const BareChange& change : changes_) {
      if (change.port != port) continue;
      if (change.at > start) {
        const __int128 work = static_cast<__int128>(change.at - start) * rate;
        if (work >= left) break;
        left -= work;
        start = change.at;
      }
      rate = change.rate;
    }
    if (left == 0) return start;
    return rate == 0 ? kLongest : start + static_cast<Time>((left + rate - 1) / rate);
  }

  // Everything is reported once and in order; no message and no port is faster than its rate. The
  // fluid engine takes all ports of a path at once, so it may beat the bound of a port by as much as
  // the latencies of those who meet there differ, and at every change of a rate as much as the port
  // is away from where paths begin; it rounds once a message.
  void Check(const BareNetwork& network, const std::vector<BareMessage>& messages) const {
    std::vector<int64_t> bytes(network.ports().size());
    std::vector<Time> first(bytes.size(), INT64_MAX), last(bytes.size());
    std::vector<size_t> nearest(bytes.size(), SIZE_MAX), farthest(bytes.size());
    for (size_t i = 0; i < messages.size(); ++i) {
      const BareMessage& m = messages[i];
      const Times& t = times_[i];
      const Time latency = network.hop() * static_cast<Time>(m.ports.size());
      const Time least = m.start + (m.rate > 0 ? TransferTime(m.bytes, m.rate) : 0);
      EXPECT_GE(t.sent, std::max(least, Earliest(network, m.ports[0], m.start, m.bytes)));
      for (size_t h = 0; h < m.ports.size(); ++h) {
        const uint32_t port = m.ports[h];
        if (wires_->name() != "fluid") {
          const Time begin = m.start + network.hop() * static_cast<Time>(h);
          EXPECT_GE(t.delivered, Earliest(network, port, begin, m.bytes) + latency - (begin - m.start));
        }
        bytes[port] += m.bytes;
        nearest[port] = std::min(nearest[port], h);
        farthest[port] = std::max(farthest[port], h);
        // As if the port were where the path begins and ends.
        first[port] = std::min(first[port], m.start + network.hop() * static_cast<Time>(h));
        last[port] = std::max(
            last[port], t.delivered - network.hop() * static_cast<Time>(m.ports.size() - h));
      }
      EXPECT_GE(t.head, m.start + latency) << i;
      EXPECT_GE(t.delivered, least + latency) << i;
      EXPECT_GE(t.delivered, t.head) << i;
      EXPECT_GE(t.delivered, t.sent) << i;
    }
    for (size_t p = 0; p < bytes.size(); ++p) {
      if (bytes[p] == 0) continue;
      Time slack = 0;
      if (wires_->name() == "fluid") {
        slack = network.hop() * static_cast<Time>(farthest[p] - nearest[p]) +
                static_cast<Time>(messages.size()) +
                network.hop() * static_cast<Time>(farthest[p] * changes_.size());
      }
      const Time earliest = Earliest(network, static_cast<uint32_t>(p), first[p], bytes[p]);
      EXPECT_GE(last[p] + slack, earliest) << "port " << p;
    }
  }

  std::vector<BareChange> changes_;  // in order
  Queue queue_;
  std::vector<Times> times_;
  const std::unique_ptr<Wires> wires_;
};

// Prints the equation, so that a log can be read against the model.
inline void CheckTime(const char* equation, Time expected, Time measured, Time tolerance = 0) {
  std::printf("  %-66s expected %12" PRId64 " ps  measured %12" PRId64 " ps\n", equation, expected,
              measured);
  EXPECT_LE(std::max(expected, measured) - std::min(expected, measured), tolerance) << equation;
}

}  // namespace fabric

#endif  // TESTS_FABRIC_BARE_WIRES_H_
